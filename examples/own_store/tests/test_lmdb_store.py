"""The LMDB store keeps the contract, with and without its abilities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from jobcore import JobStore
from jobcore.testing import (
    AN_INSTANT,
    ExplainableConformance,
    OneInstantConformance,
    Opening,
    QueueControlConformance,
    ReopeningConformance,
    ScheduleConformance,
    StoreConformance,
    store_state_machine,
)
from jobcore_lmdb import LMDBJobStore, PlainLMDBJobStore


class TestPlainLMDBJobStore(StoreConformance):
    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[JobStore]:
        async with PlainLMDBJobStore(url, sync=False) as store:
            yield store


class TestLMDBJobStore(
    StoreConformance,
    QueueControlConformance,
    ScheduleConformance,
    ExplainableConformance,
    ReopeningConformance,
):
    @pytest.fixture
    def opening(self, url: str) -> Opening:
        return lambda: LMDBJobStore(url)

    @pytest.fixture
    async def store(self, opening: Opening) -> AsyncIterator[JobStore]:
        async with opening() as store:
            yield store


class TestStoppedLMDBJobStore(OneInstantConformance):
    @pytest.fixture
    async def stopped(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[JobStore]:
        monkeypatch.setattr(LMDBJobStore, "now", lambda each: AN_INSTANT + each.offset)
        async with LMDBJobStore(url) as store:
            yield store


@asynccontextmanager
async def a_fresh_store() -> AsyncIterator[LMDBJobStore]:
    with TemporaryDirectory() as folder:
        url = f"lmdb:///{Path(folder) / 'jobs.lmdb'}"
        async with LMDBJobStore(url, sync=False) as store:
            yield store


TestLMDBJobStoreMachine = store_state_machine(a_fresh_store).TestCase
TestLMDBJobStoreMachine.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None
)
