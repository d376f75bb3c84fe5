"""Stores with a schema or a prefix of their own, beside others in one database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from jobcore import ScheduleRecord
from jobcore.errors import StoreError
from jobcore.job import JobStatus, Limit
from jobcore.lifecycle import complete
from jobcore.testing import a_job, a_request, inserted
from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.naming import LONGEST_PREFIX, Naming
from jobcore_sql.schema import VERSIONS
from jobcore_sql.tables import metadata
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
PREFIXES = [SQLOptions(), SQLOptions(prefix="a_"), SQLOptions(prefix="a_a_")]
NAMES = [
    *PREFIXES,
    SQLOptions(schema="order"),
    SQLOptions(schema="two"),
    SQLOptions(schema="two", prefix="a_"),
]


@pytest.mark.parametrize(
    "name",
    ["Jobs", "my-jobs", "my jobs", "1jobs", 'jobs"', "ä", "a.b", "jobs\n", "a" * 64],
)
def test_a_name_that_would_have_to_be_changed_is_refused(name: str) -> None:
    with pytest.raises(StoreError) as caught:
        SQLOptions(schema=name)
    assert f"the schema {name!r} is" in str(caught.value)
    with pytest.raises(StoreError) as caught:
        SQLOptions(prefix=name)
    assert f"the prefix {name!r} is" in str(caught.value)


@pytest.mark.parametrize("schema", ["", "pg_jobs"])
def test_a_schema_that_cannot_be_is_refused(schema: str) -> None:
    with pytest.raises(StoreError):
        SQLOptions(schema=schema)


def test_the_longest_name_with_the_longest_prefix_is_not_cut() -> None:
    tables = metadata.tables.values()
    names = [VERSIONS.name, *(each.name for each in tables)]
    names += [str(index.name) for each in tables for index in each.indexes]
    assert LONGEST_PREFIX + max(map(len, names)) <= 63
    SQLOptions(prefix="a" * LONGEST_PREFIX)
    with pytest.raises(StoreError):
        SQLOptions(prefix="a" * (LONGEST_PREFIX + 1))


def test_a_database_without_schemas_refuses_one(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        SQLJobStore(url, SQLOptions(schema="jobs"))
    assert "sqlite has no schemas" in str(caught.value)


def test_every_naming_has_a_channel_of_its_own() -> None:
    channels = {each.naming.channel for each in NAMES}
    assert len(channels) == len(NAMES)
    longest = Naming("s" * 63, "p" * LONGEST_PREFIX)
    assert len(longest.channel) <= 63


async def live(store: SQLJobStore, queue: str) -> None:
    """Do a bit of everything, and leave one job in each of four statuses."""
    limit = Limit(concurrency=1)
    shared = await inserted(
        store,
        a_job(queue=queue, unique_key="key", labels={"to": "Ada"}),
        a_job(queue=queue),
        a_job(queue=queue, limit_key="key", limit=limit),
        a_job(queue=queue, limit_key="key", limit=limit),
        a_job(queue=queue, delay=HOUR),
    )
    assert len(shared) == 5
    await store.fire(ScheduleRecord(name=queue, revision="1", data=b""), None, [])
    await store.pause(task="another")
    result = await store.claim(a_request(queues=(queue,), limit=5))
    assert len(result.claims) == 3
    await store.apply([complete(each, b"1") for each in result.claims[:2]])
    await store.promote(10)


async def check(store: SQLJobStore, queue: str) -> None:
    statistics = await store.statistics()
    assert statistics.queues.keys() == {queue}
    assert [each.name for each in await store.schedules()] == [queue]
    assert statistics.queues[queue].counts == {
        JobStatus.COMPLETED: 2,
        JobStatus.IN_PROGRESS: 1,
        JobStatus.HELD: 1,
        JobStatus.SCHEDULED: 1,
    }
    assert (await store.verify()).sound


async def test_stores_in_one_file_do_not_see_each_other(url: str, path: Path) -> None:
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(SQLJobStore(url, each)) for each in PREFIXES
        ]
        for number, each in enumerate(stores):
            await live(each, f"queue_{number}")
        for number, each in enumerate(stores):
            await check(each, f"queue_{number}")
    with closing(sqlite3.connect(path)) as database:
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    assert {"jobs", "a_jobs", "a_a_jobs", "a_jobcore_schema", "a_jobs_queued"} <= names


@asynccontextmanager
async def fresh(server: str, options: SQLOptions) -> AsyncIterator[SQLJobStore]:
    async with SQLJobStore(postgresql.url(server), options) as store:
        names = postgresql.tables(options)
        await postgresql.run(server, *(f"DELETE FROM {each}" for each in names))  # noqa: S608 - our own names
        yield store
    if options.prefix:
        names.append(postgresql.whole_name(VERSIONS.name, options))
        await postgresql.run(server, f"DROP TABLE {', '.join(names)}")


async def test_stores_in_one_database_do_not_see_each_other(server: str) -> None:
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(fresh(server, each)) for each in NAMES
        ]
        for number, each in enumerate(stores):
            await live(each, f"queue_{number}")
        for number, each in enumerate(stores):
            await check(each, f"queue_{number}")


async def test_notifications_go_to_those_who_share_the_tables(server: str) -> None:
    """What strangers are told themselves comes after what they must not hear."""
    url, ours, theirs = postgresql.url(server), NAMES[-1], NAMES[-2]
    async with (
        fresh(server, ours) as teller,
        SQLJobStore(url, ours) as hearer,
        fresh(server, theirs) as other_teller,
        SQLJobStore(url, theirs) as stranger,
    ):
        for each in (hearer, stranger):
            await each._database.waker._heard_itself.wait()  # type: ignore[attr-defined]  # a listener's
        heard = asyncio.create_task(hearer.wait(("one",), "worker", HOUR))
        unheard = asyncio.create_task(stranger.wait(("one",), "worker", HOUR))
        after = asyncio.create_task(stranger.wait(("two",), "worker", HOUR))
        await asyncio.sleep(0)
        await inserted(teller, a_job(queue="one"))
        await asyncio.wait_for(heard, timeout=10)
        await inserted(other_teller, a_job(queue="two"))
        await asyncio.wait_for(after, timeout=10)
        assert not unheard.done()
        unheard.cancel()


async def test_a_transaction_of_the_host_keeps_its_search_path(server: str) -> None:
    shown, engine = "SHOW search_path", create_async_engine(postgresql.url(server))
    async with fresh(server, NAMES[-2]) as other, fresh(server, NAMES[-1]) as store:
        async with engine.begin() as connection:
            before = (await connection.exec_driver_sql(shown)).scalar()
            await store.using(connection).insert([replace(a_job(), id="1")])
            assert (await connection.exec_driver_sql(shown)).scalar() == before
        assert (await store.statistics()).count(JobStatus.QUEUED) == 1
        assert (await other.statistics()).queues == {}
        async with SQLJobStore(engine, NAMES[-1]) as borrowing:
            assert (await borrowing.statistics()).count(JobStatus.QUEUED) == 1
    await engine.dispose()
