"""The SQLite store keeps the contract and has all abilities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from jobcore.store import JobStore
from jobcore.testing import (
    AN_INSTANT,
    OneInstantConformance,
    Opening,
    QueueControlConformance,
    ReopeningConformance,
    StoreConformance,
    VerifiableConformance,
    WorkerDirectoryConformance,
    store_state_machine,
)
from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.dialects.sqlite import SQLiteDialect


class TestSQLiteJobStore(
    StoreConformance,
    QueueControlConformance,
    WorkerDirectoryConformance,
    VerifiableConformance,
    ReopeningConformance,
):
    @pytest.fixture
    def opening(self, url: str) -> Opening:
        return lambda: SQLJobStore(url)

    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[JobStore]:
        async with SQLJobStore(url) as store:
            yield store


class TestStoppedSQLiteJobStore(OneInstantConformance):
    @pytest.fixture
    async def stopped(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[JobStore]:
        monkeypatch.setattr(SQLiteDialect, "now", lambda *_: AN_INSTANT)
        async with SQLJobStore(url) as store:
            yield store


@asynccontextmanager
async def a_fresh_store() -> AsyncIterator[SQLJobStore]:
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'jobs.db'}"
        async with SQLJobStore(url, SQLOptions(synchronous="off")) as store:
            yield store


TestSQLiteJobStoreMachine = store_state_machine(a_fresh_store).TestCase
TestSQLiteJobStoreMachine.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None
)
