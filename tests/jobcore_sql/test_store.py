"""The SQLite store keeps the contract and has all abilities."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

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
from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.dialects.sqlite import SQLiteDialect
from jobcore_sql.tables import metadata


class TestSQLiteJobStore(
    StoreConformance,
    QueueControlConformance,
    WorkerDirectoryConformance,
    ScheduleConformance,
    ExplainableConformance,
    VerifiableConformance,
    ReopeningConformance,
):
    @pytest.fixture
    def opening(self, url: str) -> Opening:
        return lambda: SQLJobStore(url)

    @pytest.fixture(scope="class")
    async def kept_open(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> AsyncIterator[tuple[Path, JobStore]]:
        """One store for all tests, as making it takes longer than most of them."""
        path = tmp_path_factory.mktemp("kept") / "jobs.db"
        async with SQLJobStore(f"sqlite+aiosqlite:///{path}") as store:
            yield path, store

    @pytest.fixture
    def store(self, kept_open: tuple[Path, JobStore]) -> JobStore:
        path, store = kept_open
        with closing(sqlite3.connect(path)) as connection:
            for table in metadata.tables:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            connection.commit()
        store.offset = timedelta()
        return store


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
    max_examples=30, stateful_step_count=30, deadline=None
)
