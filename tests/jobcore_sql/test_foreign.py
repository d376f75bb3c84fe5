"""Jobs in transactions of hosts whose driver is none of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection as django_connection
from django.db import transaction

from jobcore import (
    DefaultJobManager,
    InMemoryJobStore,
    InsertStatement,
    InvalidJobError,
    Job,
    JobStatus,
    Limit,
    StatementStore,
    Tasks,
    UnsupportedError,
)
from jobcore_sql import SQLJobStore
from tests.jobcore_sql import postgresql
from tests.jobcore_sql.django_host import configure

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
OPTIONS: dict[str, dict[str, object]] = {
    "none": {},
    "labels": {"labels": {"to": "Ada", "from": "Bob"}},
    "delay": {"delay": HOUR},
    "later": {"run_at": datetime(2100, 1, 1, tzinfo=UTC)},
    "earlier": {"run_at": datetime(2020, 1, 1, tzinfo=UTC)},
    "unique": {"unique_key": "100 % Ada", "unique_scope": frozenset(JobStatus)},
    "approval": {"approval": True},
    "others": {"limit": Limit(concurrency=1), "priority": -5, "timeout": HOUR},
}

tasks = Tasks()


@tasks.task()
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@pytest.fixture
async def store(server: str) -> AsyncIterator[SQLJobStore]:
    async with postgresql.empty_store(server) as store:
        yield store
        assert (await store.verify()).sound


@pytest.fixture
async def jobs(store: SQLJobStore) -> AsyncIterator[DefaultJobManager]:
    async with DefaultJobManager(store) as jobs:
        yield jobs


@pytest.fixture
async def connection(server: str) -> AsyncIterator[psycopg.AsyncConnection]:
    url = postgresql.database(server)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield connection
        await connection.rollback()


async def stored(
    connection: psycopg.AsyncConnection, statement: InsertStatement
) -> list[str]:
    cursor = await connection.execute(statement.sql, statement.parameters)
    return [row[0] for row in await cursor.fetchall()]


def facts(job: Job) -> dict[str, object]:
    told = job.model_dump(exclude={"id", "created_at", "due_at", "unique_key"})
    return told | {"waits": job.due_at - job.created_at > timedelta(minutes=59)}


async def test_a_job_is_there_when_the_transaction_commits(
    jobs: DefaultJobManager, connection: psycopg.AsyncConnection
) -> None:
    statement = jobs.insert_statement([greet.job("Ada"), greet.job("Bob")])
    assert await stored(connection, statement) == list(statement.ids)
    assert (await jobs.find()).jobs == ()
    await connection.commit()
    found = [await jobs.get(each) for each in statement.ids]
    assert [job.arguments["name"] for job in found] == ["Ada", "Bob"]


async def test_no_job_is_there_when_the_transaction_ends_without_a_commit(
    jobs: DefaultJobManager, connection: psycopg.AsyncConnection
) -> None:
    await stored(connection, jobs.insert_statement([greet.job("Ada")]))
    await connection.rollback()
    assert (await jobs.find()).jobs == ()


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
async def test_a_job_is_the_same_as_if_it_had_been_submitted(
    jobs: DefaultJobManager,
    connection: psycopg.AsyncConnection,
    options: dict[str, object],
) -> None:
    request = greet.job("Ada")
    statement = jobs.insert_statement([request], **options)  # type: ignore[arg-type]  # all kinds
    await stored(connection, statement)
    await connection.commit()
    there = await jobs.get(statement.ids[0])
    await jobs.cancel(there)
    await jobs.delete(there)
    submitted = await jobs.submit(request, **options)  # type: ignore[arg-type]  # likewise
    assert facts(there) == facts(await jobs.get(submitted))


async def test_a_job_whose_unique_key_is_held_is_left_out(
    jobs: DefaultJobManager, connection: psycopg.AsyncConnection
) -> None:
    await jobs.submit(greet.job("Ada"), unique_key="Ada")
    held = jobs.insert_statement(
        [greet.job("Ada")], unique_key="Ada", labels={"to": "Ada"}
    )
    assert await stored(connection, held) == []
    free = jobs.insert_statement([greet.job("Bob")] * 2, unique_key="Bob")
    assert await stored(connection, free) == [free.ids[0]]
    await connection.commit()
    assert (await jobs.statistics()).count(JobStatus.QUEUED) == 2


async def test_workers_are_woken_by_the_commit(
    jobs: DefaultJobManager, connection: psycopg.AsyncConnection
) -> None:
    await jobs.submit(greet.job("Ada"))
    waiting = asyncio.create_task(jobs.wait("worker", ["default"], HOUR))
    await asyncio.sleep(0)
    await stored(connection, jobs.insert_statement([greet.job("Ada")]))
    await connection.commit()
    await asyncio.wait_for(waiting, timeout=10)


@pytest.fixture
def django(server: str) -> None:
    configure(postgresql.database(server))


@pytest.mark.usefixtures("django")
async def test_django_stores_a_job_by_a_manager_that_is_not_open(
    store: SQLJobStore, server: str
) -> None:
    manager = DefaultJobManager(SQLJobStore(postgresql.url(server)))
    statement = manager.insert_statement([greet.job("Ada")], labels={"to": "Ada"})

    def serve() -> None:
        with transaction.atomic(), django_connection.cursor() as cursor:
            cursor.execute(statement.sql, statement.parameters)
        django_connection.close()

    await asyncio.to_thread(serve)
    assert await store.get(statement.ids) != [None]


async def test_a_statement_for_no_job_is_refused(server: str) -> None:
    manager = DefaultJobManager(SQLJobStore(postgresql.url(server)))
    with pytest.raises(InvalidJobError, match="requests must be one at least"):
        manager.insert_statement([])


async def test_a_store_without_such_a_statement_says_so(url: str) -> None:
    for plain in (InMemoryJobStore(), SQLJobStore(url)):
        jobs = DefaultJobManager(plain)
        with pytest.raises(UnsupportedError, match="StatementStore"):
            jobs.require(StatementStore)
        with pytest.raises(UnsupportedError, match="StatementStore"):
            jobs.insert_statement([greet.job("Ada")])
