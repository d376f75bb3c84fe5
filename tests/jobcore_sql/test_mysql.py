"""The MySQL store keeps the contract and has all abilities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest
from hypothesis import settings
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

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
    store_state_machine,
)
from jobcore_sql import SQLJobStore
from jobcore_sql.dialects.mysql import MySQLDialect
from tests.jobcore_sql import mysql


@mysql.needed
class TestMySQLJobStore(
    StoreConformance,
    QueueControlConformance,
    TransactionalConformance,
    WorkerDirectoryConformance,
    ScheduleConformance,
    ExplainableConformance,
    VerifiableConformance,
):
    @pytest.fixture(scope="class", params=mysql.WAYS)
    async def kept_open(
        self, request: pytest.FixtureRequest
    ) -> AsyncIterator[JobStore]:
        """One store for all tests, as opening it takes longer than most of them."""
        async with mysql.a_store(request.param) as store:
            yield store

    @pytest.fixture
    async def store(self, kept_open: JobStore) -> JobStore:
        await mysql.empty()
        kept_open.offset = timedelta()
        return kept_open

    @pytest.fixture
    async def transaction(
        self,
    ) -> AsyncIterator[Callable[[], AbstractAsyncContextManager[object]]]:
        url = make_url(await mysql.url()).set(drivername="mysql+asyncmy")
        engine = create_async_engine(url)
        yield engine.begin
        await engine.dispose()


@mysql.needed
class TestStoppedMySQLJobStore(OneInstantConformance):
    @pytest.fixture
    async def stopped(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[JobStore]:
        monkeypatch.setattr(MySQLDialect, "now", lambda *_: AN_INSTANT)
        async with mysql.empty_store() as store:
            yield store


def a_fresh_store() -> AbstractAsyncContextManager[SQLJobStore]:
    return mysql.empty_store()


TestMySQLJobStoreMachine = mysql.needed(store_state_machine(a_fresh_store).TestCase)
TestMySQLJobStoreMachine.settings = settings(
    max_examples=10, stateful_step_count=30, deadline=None
)
