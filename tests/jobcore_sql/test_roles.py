"""The three roles of the documentation, made by the statements that stand there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from jobcore import ScheduleRecord, WorkerRecord
from jobcore.errors import SchemaVersionError, StoreError
from jobcore.job import JobStatus
from jobcore.lifecycle import complete
from jobcore.query import Filter
from jobcore.testing import a_claim, a_job, a_request, inserted, named
from jobcore_sql import SQLJobStore
from tests.jobcore_sql import postgresql
from tests.jobcore_sql.postgresql import WORKER, url_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(postgresql.OWN in os.environ, reason="roles stay on a server"),
]

SERVER = "18"
MINUTE = timedelta(minutes=1)
EMPTY = replace(WORKER, prefix="never_made_")
NIGHTLY = ScheduleRecord(name="nightly", revision="1", data=b"{}")


@pytest.fixture
async def store() -> AsyncIterator[SQLJobStore]:
    """One of a worker, on tables that the migrator has made."""
    async with postgresql.empty_store(SERVER, "worker") as store:
        yield store


def reading() -> AbstractAsyncContextManager[SQLJobStore]:
    return SQLJobStore(url_of(SERVER, "jobs_reader"), WORKER)


async def test_a_reader_sees_everything(store: SQLJobStore) -> None:
    claim = await a_claim(store, labels={"to": "Ada"})
    await store.seen(WorkerRecord(id="worker"), MINUTE)
    await store.pause(queue="another")
    await store.fire(NIGHTLY, None, [])
    async with reading() as reader:
        (job,) = await reader.get([claim.job_id], attempts=True)
        assert job
        assert job.status is JobStatus.IN_PROGRESS
        found = await reader.find(Filter(labels={"to": "Ada"}), None, 10)
        assert [each.id for each in found.jobs] == [job.id]
        statistics = await reader.statistics()
        assert statistics.count(JobStatus.IN_PROGRESS) == 1
        assert [each.id for each in await reader.workers()] == ["worker"]
        assert (await reader.paused()).queues == {"another"}
        assert await reader.schedules() == [NIGHTLY]
        assert (await reader.due_schedules(10)).schedules == ()
        assert (await reader.verify()).sound


async def test_a_reader_is_refused_whatever_it_would_write(store: SQLJobStore) -> None:
    claim = await a_claim(store)
    await inserted(store, a_job())
    async with reading() as reader:
        for call in (
            reader.insert([named(reader, a_job())]),
            reader.insert([named(reader, a_job(labels={"to": "Ada"}))]),
            reader.claim(a_request()),
            reader.apply([complete(claim, b"1")]),
            reader.renew([claim], MINUTE),
            reader.delete(Filter(), 10),
            reader.pause(queue="default"),
            reader.seen(WorkerRecord(id="reader"), MINUTE),
            reader.fire(NIGHTLY, None, []),
            reader.unschedule("nightly"),
        ):
            with pytest.raises(StoreError) as caught:
                await call
            assert type(caught.value) is StoreError, "repeating would not help"
            assert "permission denied for table select_" in str(caught.value)
    assert (await store.statistics()).count(JobStatus.IN_PROGRESS) == 1


@pytest.mark.parametrize("role", ["jobs_worker", "jobs_reader"])
@pytest.mark.parametrize("may_migrate", [False, True])
async def test_who_may_not_migrate_is_told_that_the_tables_are_missing(
    role: str, *, may_migrate: bool
) -> None:
    options = replace(EMPTY, auto_migrate=may_migrate)
    with pytest.raises(SchemaVersionError) as caught:
        await SQLJobStore(url_of(SERVER, role), options).__aenter__()
    assert caught.value.found == "empty"


async def test_a_worker_that_would_migrate_has_nothing_to_do(
    store: SQLJobStore,
) -> None:
    would = replace(WORKER, auto_migrate=True)
    async with SQLJobStore(url_of(SERVER, "jobs_worker"), would) as other:
        await inserted(other, a_job())
    assert (await store.statistics()).count(JobStatus.QUEUED) == 1


@pytest.mark.parametrize("role", ["jobs_worker", "jobs_reader"])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE jobs.another (id text)",
        "CREATE TABLE another (id text)",
        "CREATE SCHEMA another",
        "DROP TABLE jobs.select_jobs",
        "ALTER TABLE jobs.select_jobs ADD COLUMN another text",
        "TRUNCATE jobs.select_jobs",
        "DROP SCHEMA jobs CASCADE",
    ],
)
async def test_only_the_migrator_changes_tables(
    store: SQLJobStore,  # noqa: ARG001 - the tables are there
    role: str,
    statement: str,
) -> None:
    url = url_of(SERVER, role).replace("+asyncpg", "")
    connection = await asyncpg.connect(url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
