"""The Redis store keeps the contract and has all abilities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from hashlib import sha1

import pytest
from hypothesis import settings

from jobcore.store import JobStore
from jobcore.testing import (
    AN_INSTANT,
    ExplainableConformance,
    OneInstantConformance,
    Opening,
    QueueControlConformance,
    ReopeningConformance,
    ScheduleConformance,
    StoreConformance,
    VerifiableConformance,
    WorkerDirectoryConformance,
    store_state_machine,
)
from jobcore_redis.scripts import Script, script
from tests.jobcore_redis import servers
from tests.jobcore_redis.servers import empty_store


class TestRedisJobStore(
    StoreConformance,
    QueueControlConformance,
    WorkerDirectoryConformance,
    ScheduleConformance,
    ExplainableConformance,
    VerifiableConformance,
    ReopeningConformance,
):
    @pytest.fixture(params=servers.KINDS)
    async def opening(self, request: pytest.FixtureRequest) -> AsyncIterator[Opening]:
        async with servers.opening(request.param) as opening:
            yield opening

    @pytest.fixture
    async def store(self, opening: Opening) -> AsyncIterator[JobStore]:
        async with opening() as store:
            yield store


class TestRedisJobStoreOtherwise(
    StoreConformance,
    QueueControlConformance,
    WorkerDirectoryConformance,
    ScheduleConformance,
    ExplainableConformance,
    VerifiableConformance,
    ReopeningConformance,
):
    @pytest.fixture(params=servers.WAYS)
    async def opening(self, request: pytest.FixtureRequest) -> AsyncIterator[Opening]:
        async with servers.opening(request.param) as opening:
            yield opening

    @pytest.fixture
    async def store(self, opening: Opening) -> AsyncIterator[JobStore]:
        async with opening() as store:
            yield store


class TestStoppedRedisJobStore(OneInstantConformance):
    @pytest.fixture(params=(*servers.KINDS, *servers.WAYS))
    async def stopped(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[JobStore]:
        """One whose scripts are not told the server's time, but an instant."""
        monkeypatch.setattr("jobcore_redis.server.script", stopped_script)
        async with empty_store(request.param) as store:
            yield store


def stopped_script(name: str, **told: bool) -> Script:
    made = script(name, **told)
    instant = f"{{'{AN_INSTANT.timestamp():.0f}', '0'}}"
    text = made.text.replace("call('TIME')", instant)
    sha = sha1(text.encode(), usedforsecurity=False).hexdigest()
    return replace(made, text=text, sha=sha)


TestRedisJobStoreMachine = store_state_machine(partial(empty_store, "6.2")).TestCase
TestRedisJobStoreMachine.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None
)
TestFakeRedisJobStoreMachine = store_state_machine(
    partial(empty_store, "fakeredis")
).TestCase
TestFakeRedisJobStoreMachine.settings = settings(
    max_examples=5, stateful_step_count=30, deadline=None
)
TestRedisClusterJobStoreMachine = store_state_machine(
    partial(empty_store, "cluster"), partitioned=True
).TestCase
TestRedisClusterJobStoreMachine.settings = settings(
    max_examples=4, stateful_step_count=30, deadline=None
)
