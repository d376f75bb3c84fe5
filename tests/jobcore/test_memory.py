"""The memory store keeps the contract and has all abilities."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from jobcore.memory import InMemoryJobStore
from jobcore.memory.records import Clock
from jobcore.store import JobStore
from jobcore.testing import (
    AN_INSTANT,
    ExplainableConformance,
    OneInstantConformance,
    QueueControlConformance,
    ScheduleConformance,
    StoreConformance,
    TrialConformance,
    VerifiableConformance,
    WorkerDirectoryConformance,
    store_state_machine,
)


class TestInMemoryJobStore(
    StoreConformance,
    QueueControlConformance,
    ScheduleConformance,
    ExplainableConformance,
    WorkerDirectoryConformance,
    VerifiableConformance,
    TrialConformance,
):
    @pytest.fixture
    async def store(self) -> AsyncIterator[JobStore]:
        async with InMemoryJobStore() as store:
            yield store


class TestStoppedInMemoryJobStore(OneInstantConformance):
    @pytest.fixture
    async def stopped(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[JobStore]:
        monkeypatch.setattr(Clock, "now", lambda _: AN_INSTANT)
        async with InMemoryJobStore() as store:
            yield store


TestInMemoryJobStoreMachine = store_state_machine(InMemoryJobStore).TestCase
TestInMemoryJobStoreMachine.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None
)
