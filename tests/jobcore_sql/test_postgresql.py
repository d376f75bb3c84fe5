"""The PostgreSQL store keeps the contract and has all abilities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest
from hypothesis import settings
from sqlalchemy.ext.asyncio import create_async_engine

from jobcore.job import Limit
from jobcore.store import JobStore
from jobcore.testing import (
    AN_INSTANT,
    ExplainableConformance,
    OneInstantConformance,
    QueueControlConformance,
    ScheduleConformance,
    StoreConformance,
    TransactionalConformance,
    VerifiableConformance,
    WorkerDirectoryConformance,
    a_job,
    a_request,
    inserted,
    store_state_machine,
)
from jobcore_sql import SQLJobStore
from jobcore_sql.dialects.postgresql import PostgreSQLDialect
from tests.jobcore_sql import postgresql


class TestPostgreSQLJobStore(
    StoreConformance,
    QueueControlConformance,
    TransactionalConformance,
    WorkerDirectoryConformance,
    ScheduleConformance,
    ExplainableConformance,
    VerifiableConformance,
):
    @pytest.fixture(scope="class", params=postgresql.SERVERS)
    async def kept_open(
        self, request: pytest.FixtureRequest
    ) -> AsyncIterator[tuple[str, JobStore]]:
        """One store for all tests, as opening it takes longer than most of them."""
        async with postgresql.a_store(request.param, "url") as store:
            yield request.param, store

    @pytest.fixture
    async def store(self, kept_open: tuple[str, JobStore]) -> JobStore:
        server, store = kept_open
        await postgresql.empty(server, "url")
        store.offset = timedelta()
        return store

    @pytest.fixture
    async def transaction(
        self, kept_open: tuple[str, JobStore]
    ) -> AsyncIterator[Callable[[], AbstractAsyncContextManager[object]]]:
        engine = create_async_engine(postgresql.url(kept_open[0]))
        yield engine.begin
        await engine.dispose()


class TestPostgreSQLJobStoreOtherwise(
    StoreConformance,
    QueueControlConformance,
    WorkerDirectoryConformance,
    ScheduleConformance,
    ExplainableConformance,
    VerifiableConformance,
):
    @pytest.fixture(scope="class", params=postgresql.WAYS)
    async def kept_open(
        self, request: pytest.FixtureRequest
    ) -> AsyncIterator[tuple[str, JobStore]]:
        async with postgresql.a_store("18", request.param) as store:
            yield request.param, store

    @pytest.fixture
    async def store(self, kept_open: tuple[str, JobStore]) -> JobStore:
        way, store = kept_open
        await postgresql.empty("18", way)
        store.offset = timedelta()
        return store


class TestPostgreSQLJobStoreOfAWorker(TransactionalConformance):
    """In transactions of a host that has the role as well."""

    @pytest.fixture(params=[way for way in postgresql.WAYS if way == "worker"])
    async def store(self, request: pytest.FixtureRequest) -> AsyncIterator[JobStore]:
        async with postgresql.empty_store("18", request.param) as store:
            yield store

    @pytest.fixture
    async def transaction(
        self,
    ) -> AsyncIterator[Callable[[], AbstractAsyncContextManager[object]]]:
        engine = create_async_engine(postgresql.url_of("18", "jobs_worker"))
        yield engine.begin
        await engine.dispose()


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["url", *postgresql.WAYS])
async def test_claim_keeps_what_it_took_before_it_met_a_limit(way: str) -> None:
    async with postgresql.empty_store("18", way) as store:
        limit = Limit(concurrency=1)
        limited = a_job(queue="two", limit_key="key", limit=limit)
        await inserted(store, a_job(queue="one"), limited)
        result = await store.claim(a_request(queues=("one", "two"), limit=5))
        assert [each.job.queue for each in result.claims] == ["one", "two"]
        assert result.examined == 2
        assert not (await store.renew(result.claims, timedelta(hours=1))).lost
        assert (await store.verify()).sound


class TestStoppedPostgreSQLJobStore(OneInstantConformance):
    @pytest.fixture
    async def stopped(
        self, server: str, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[JobStore]:
        """One whose clock is asked for by itself, and never in a statement."""
        monkeypatch.setattr(PostgreSQLDialect, "now", lambda *_: AN_INSTANT)
        monkeypatch.setattr("jobcore_sql.store.SINGLE", {})
        async with postgresql.empty_store(server) as store:
            yield store


def a_fresh_store() -> AbstractAsyncContextManager[SQLJobStore]:
    return postgresql.empty_store("18")


TestPostgreSQLJobStoreMachine = store_state_machine(a_fresh_store).TestCase
TestPostgreSQLJobStoreMachine.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None
)
