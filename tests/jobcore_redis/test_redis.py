"""The Redis store keeps the contract and has all abilities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest
from hypothesis import settings

from jobcore.store import JobStore
from jobcore.testing import (
    QueueControlConformance,
    StoreConformance,
    VerifiableConformance,
    WorkerDirectoryConformance,
    store_state_machine,
)
from tests.jobcore_redis import servers
from tests.jobcore_redis.servers import empty_store


class TestRedisJobStore(
    StoreConformance,
    QueueControlConformance,
    WorkerDirectoryConformance,
    VerifiableConformance,
):
    @pytest.fixture(params=servers.KINDS)
    async def store(self, request: pytest.FixtureRequest) -> AsyncIterator[JobStore]:
        async with empty_store(request.param) as store:
            yield store


class TestRedisJobStoreOtherwise(
    StoreConformance,
    QueueControlConformance,
    WorkerDirectoryConformance,
    VerifiableConformance,
):
    @pytest.fixture(params=servers.WAYS)
    async def store(self, request: pytest.FixtureRequest) -> AsyncIterator[JobStore]:
        async with empty_store(request.param) as store:
            yield store


TestRedisJobStoreMachine = store_state_machine(partial(empty_store, "6.2")).TestCase
TestRedisJobStoreMachine.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None
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
    max_examples=10, stateful_step_count=30, deadline=None
)
