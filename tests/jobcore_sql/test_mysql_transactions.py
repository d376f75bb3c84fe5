"""Transactions on MySQL: those that meet each other, and those of a host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.util import await_only

from jobcore import (
    DefaultJobManager,
    InvalidJobError,
    JobNotFoundError,
    JobStatus,
    Limit,
    StoreUnavailableError,
    Tasks,
    Worker,
)
from jobcore.lifecycle import complete, release
from jobcore.testing import a_claim, a_job, a_request, inserted, named
from jobcore_sql import SQLJobStore, SQLOptions, tables
from jobcore_sql.dialects.mysql import MySQLDialect
from jobcore_sql.transaction import Transaction
from tests.jobcore_sql import mysql

pytestmark = [pytest.mark.anyio, mysql.needed]

greetings = Tasks()


@greetings.task()
async def greet(name: str) -> str:
    return f"Hello, {name}!"


class RolledBackError(Exception):
    """Why a transaction of the host's ends without a commit."""


@pytest.fixture
async def store() -> AsyncIterator[SQLJobStore]:
    async with mysql.empty_store() as store:
        yield store


@pytest.fixture
async def jobs(store: SQLJobStore) -> AsyncIterator[DefaultJobManager]:
    async with DefaultJobManager(store) as jobs:
        yield jobs


@pytest.fixture
async def engine(store: SQLJobStore) -> AsyncIterator[AsyncEngine]:  # noqa: ARG001 - makes the tables
    url = make_url(await mysql.url()).set(drivername="mysql+asyncmy")
    engine = create_async_engine(url)
    yield engine
    await engine.dispose()


async def seen(number: int, condition: str = "TRUE") -> None:
    """Return when *number* transactions are open for which *condition* holds."""
    count = f"""
        SELECT count(*) FROM information_schema.innodb_trx
        JOIN information_schema.processlist ON id = trx_mysql_thread_id
        WHERE db = DATABASE() AND {condition}
    """  # noqa: S608 - our own
    while (await mysql.run(count))[0][0] != number:  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(0.15)  # until what is told is not what was told before


async def execute(connection: Any, *statements: str) -> None:
    cursor = connection.cursor()
    for each in statements:
        await cursor.execute(each)
    await cursor.close()


@asynccontextmanager
async def a_heavy_transaction(*first: str) -> AsyncIterator[Any]:
    """One that has done so much that the server rather undoes another."""
    async with mysql.connected() as connection:
        rows = ", ".join(f"('queue', 'queue-{n}')" for n in range(1000))
        heavy = f"INSERT INTO pauses (kind, name) VALUES {rows}"  # noqa: S608 - our own
        await execute(connection, "START TRANSACTION", heavy, *first)
        yield connection
        await execute(connection, "ROLLBACK")


LIMIT = Limit(concurrency=10)
LOCK = "SELECT * FROM limits WHERE `key` = '{}' FOR UPDATE"


@pytest.fixture
def deadlocks(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Those in which the store was the one to be undone."""
    met: list[Exception] = []
    is_deadlock = MySQLDialect.is_deadlock

    def noting(dialect: MySQLDialect, error: Exception) -> bool:
        if found := is_deadlock(dialect, error):
            met.append(error)
        return found

    monkeypatch.setattr(MySQLDialect, "is_deadlock", noting)
    return met


async def test_what_a_deadlock_has_undone_is_done_again(
    store: SQLJobStore, deadlocks: list[Exception]
) -> None:
    for key in "ab":
        await store.limit(key, LIMIT)
        await inserted(store, a_job(limit_key=key, limit=LIMIT))
    async with a_heavy_transaction(LOCK.format("b")) as connection:
        claiming = asyncio.create_task(store.claim(a_request(limit=2)))
        await seen(1, "trx_state = 'LOCK WAIT'")  # the claim has a, and wants b
        await execute(connection, LOCK.format("a"))
        assert not claiming.done()
    assert len((await claiming).claims) == 2
    assert len(deadlocks) == 1
    assert (await store.verify()).sound


async def test_a_deadlock_that_comes_again_and_again_is_unavailable(
    store: SQLJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213"
    begun: list[None] = []
    begin = MySQLDialect.begin_writing

    def failing(dialect: MySQLDialect, cursor: Any) -> None:
        begun.append(begin(dialect, cursor))
        cursor.execute(signal)

    with monkeypatch.context() as patch:
        patch.setattr(MySQLDialect, "begin_writing", failing)
        with pytest.raises(StoreUnavailableError, match="1213"):
            await store.limit("key", LIMIT)
    assert len(begun) == 6
    await store.limit("key", LIMIT)


async def test_a_lock_that_is_not_to_be_had_is_unavailable_and_passes() -> None:
    options = SQLOptions(lock_timeout=timedelta(seconds=1))
    async with mysql.empty_store(), SQLJobStore(await mysql.url(), options) as store:
        await store.limit("key", LIMIT)
        await inserted(store, a_job(limit_key="key", limit=LIMIT))
        async with a_heavy_transaction(LOCK.format("key")):
            with pytest.raises(StoreUnavailableError, match="1205"):
                await store.claim(a_request(limit=1))
        assert len((await store.claim(a_request(limit=1))).claims) == 1


async def test_an_outcome_does_not_wait_for_a_locked_row(
    store: SQLJobStore, engine: AsyncEngine
) -> None:
    claim = await a_claim(store)
    async with engine.begin() as connection:
        await store.using(connection).apply([complete(claim, b"1")])
        renewal = await store.renew([claim], timedelta(hours=1))
        assert not renewal.lost, "whoever has locked it has it"


async def test_a_claim_passes_by_what_a_transaction_has_locked(
    store: SQLJobStore,
) -> None:
    locked, free = await inserted(store, a_job(), a_job())
    lock = f"SELECT id FROM jobs WHERE id = '{locked.id}' FOR UPDATE"  # noqa: S608 - our own
    async with a_heavy_transaction(lock):
        result = await store.claim(a_request(limit=2))
        assert [each.job_id for each in result.claims] == [free.id]


async def test_what_is_read_in_several_statements_is_of_one_instant(
    store: SQLJobStore,
) -> None:
    """Whether the server's default is that or not."""

    def counted_twice(transaction: Transaction) -> list[int]:
        count = select(func.count()).select_from(tables.jobs)
        before = transaction.first(count)[0]
        await_only(store.insert([named(store, a_job())]))
        return [before, transaction.first(count)[0]]

    assert await store._read(counted_twice) == [0, 0]
    assert (await store.statistics()).count(JobStatus.QUEUED) == 1


@asynccontextmanager
async def a_session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as session, session.begin():
        yield session


@pytest.mark.parametrize("begin", [AsyncEngine.begin, a_session])
async def test_a_job_is_there_once_its_transaction_has_committed(
    begin: Any, jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    async with begin(engine) as transaction:
        job = await jobs.using(transaction).submit(greet.job("Ada"), priority=3)
        with pytest.raises(JobNotFoundError):
            await jobs.get(job)
    assert (await jobs.get(job)).priority == 3
    async with Worker(jobs, greetings):
        assert await jobs.result(job) == "Hello, Ada!"


async def test_a_job_never_was_where_its_transaction_is_rolled_back(
    jobs: DefaultJobManager, engine: AsyncEngine, store: SQLJobStore
) -> None:
    async def submit_in_vain() -> None:
        async with engine.begin() as transaction:
            await jobs.using(transaction).submit(greet.job("Ada"))
            raise RolledBackError

    with pytest.raises(RolledBackError):
        await submit_in_vain()
    assert not (await jobs.statistics()).queues
    assert (await store.verify()).sound


async def test_a_key_is_met_that_is_newer_than_the_snapshot_of_the_host(
    jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        count = text("SELECT count(*) FROM jobs")
        assert (await connection.execute(count)).scalar() == 0
        first = await jobs.submit(greet.job("Ada"), unique_key="greeting")
        assert (await connection.execute(count)).scalar() == 0, "a snapshot"
        transaction = jobs.using(connection)
        other = await transaction.submit(greet.job("Eve"), unique_key="other")
        again = await transaction.submit(greet.job("Bob"), unique_key="greeting")
    assert (again.is_duplicate, again.id) == (True, first.id)
    assert not other.is_duplicate
    assert (await jobs.statistics()).count(JobStatus.QUEUED) == 2


async def test_a_connection_without_a_transaction_is_refused(
    jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(InvalidJobError, match="has no open transaction"):
            await jobs.using(connection).submit(greet.job("Ada"))
    with pytest.raises(InvalidJobError, match="is no AsyncConnection"):
        await jobs.using("a connection").submit(greet.job("Ada"))


async def test_a_connection_that_was_cut_is_replaced(store: SQLJobStore) -> None:
    await inserted(store, a_job())
    ours = "SELECT id FROM information_schema.processlist WHERE db = DATABASE()"
    async with mysql.connected(None) as connection:
        for (number,) in await mysql.run(f"{ours} AND id <> CONNECTION_ID()"):
            await execute(connection, f"KILL {number}")
    with pytest.raises(StoreUnavailableError):
        await store.statistics()
    assert (await store.statistics()).count(JobStatus.QUEUED) == 1


async def test_a_call_without_an_answer_is_given_up_with_its_connection() -> None:
    options = SQLOptions(call_timeout=timedelta(seconds=0.5), pool_size=1)
    async with mysql.empty_store(), SQLJobStore(await mysql.url(), options) as store:
        await store.limit("key", LIMIT)
        await inserted(store, a_job(limit_key="key", limit=LIMIT))
        async with a_heavy_transaction(LOCK.format("key")):
            with pytest.raises(StoreUnavailableError, match="no answer"):
                await store.claim(a_request(limit=1))
        await seen(0)  # until the server knows, too
        assert len((await store.claim(a_request(limit=1))).claims) == 1


async def test_cancelled_callers_leave_the_pool_whole_and_nothing_open(
    store: SQLJobStore,
) -> None:
    async def work(number: int) -> None:
        await store.insert([named(store, a_job()) for _ in range(20)])
        await store.claim(a_request(limit=10))
        await store.promote(number)

    for number in range(60):
        working = [asyncio.create_task(work(number)) for _ in range(3)]
        for _ in range(number):
            await asyncio.sleep(0)
        for each in working:
            each.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    async with asyncio.timeout(10):
        await asyncio.gather(*(store.statistics() for _ in range(20)))
    await seen(0)
    assert (await store.verify()).sound


async def test_two_stores_on_one_server_find_what_the_other_stored(
    store: SQLJobStore,
) -> None:
    async with SQLJobStore(await mysql.url()) as other:
        waiting = asyncio.create_task(store.wait(("default",), "w", timedelta(hours=1)))
        await asyncio.sleep(0)
        (job,) = await inserted(other, a_job())
        assert not waiting.done(), "nobody is told"
        (claim,) = (await store.claim(a_request(limit=5))).claims
        assert claim.job_id == job.id
        await store.apply([release(claim)])
        await asyncio.wait_for(waiting, timeout=10)
