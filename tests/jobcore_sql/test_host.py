"""Jobs in transactions of the host's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from jobcore import (
    ClaimLostError,
    DefaultJobManager,
    InMemoryJobStore,
    InvalidJobError,
    JobConflictError,
    JobContext,
    JobcoreConfig,
    JobFailedError,
    JobNotFoundError,
    JobStatus,
    Tasks,
    TransactionalStore,
    UnsupportedError,
    Worker,
)
from jobcore.testing import a_job, named
from jobcore_sql import SQLJobStore
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=2)
CONFIG = JobcoreConfig(
    job_claim_timeout=LEASE,
    job_polling_interval=timedelta(milliseconds=20),
    stale_job_claim_check_interval=timedelta(milliseconds=50),
)
HOUR = timedelta(hours=1)

tasks = Tasks()


@tasks.task()
async def greet(name: str) -> str:
    return f"Hello, {name}!"


class RolledBackError(Exception):
    """Why a transaction of the host's ends without a commit."""


@pytest.fixture
async def store(server: str) -> AsyncIterator[SQLJobStore]:
    async with postgresql.empty_store(server) as store:
        yield store


@pytest.fixture
async def jobs(store: SQLJobStore) -> AsyncIterator[DefaultJobManager]:
    async with DefaultJobManager(store, CONFIG) as jobs:
        yield jobs


@pytest.fixture
async def engine(server: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(postgresql.url(server))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE orders (name text)"))
    yield engine
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE orders"))
    await engine.dispose()


@asynccontextmanager
async def a_session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as session, session.begin():
        yield session


@asynccontextmanager
async def an_asyncpg(engine: AsyncEngine) -> AsyncIterator[object]:
    url = engine.url.set(drivername="postgresql").render_as_string()
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


def a_transaction(
    kind: str, engine: AsyncEngine
) -> AbstractAsyncContextManager[object]:
    """A transaction of the host's, which commits unless it is left with an error."""
    match kind:
        case "connection":
            return engine.begin()
        case "session":
            return a_session(engine)
        case _:
            return an_asyncpg(engine)


every_kind = pytest.mark.parametrize("kind", ["connection", "session", "asyncpg"])


@every_kind
async def test_a_job_is_there_once_its_transaction_has_committed(
    kind: str, jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    async with a_transaction(kind, engine) as transaction:
        job = await jobs.using(transaction).submit(greet.job("Ada"), priority=3)
        with pytest.raises(JobNotFoundError):
            await jobs.get(job)
    assert (await jobs.get(job)).priority == 3
    async with Worker(jobs, tasks):
        assert await jobs.result(job) == "Hello, Ada!"


@every_kind
async def test_a_job_never_was_where_its_transaction_is_rolled_back(
    kind: str, jobs: DefaultJobManager, engine: AsyncEngine, store: SQLJobStore
) -> None:
    async def submit_in_vain() -> None:
        async with a_transaction(kind, engine) as transaction:
            requests = [greet.job("Ada"), greet.job("Bob")]
            await jobs.using(transaction).submit_many(requests)
            raise RolledBackError

    with pytest.raises(RolledBackError):
        await submit_in_vain()
    assert not (await jobs.find()).jobs
    assert not (await jobs.statistics()).queues
    assert (await store.verify()).sound


async def test_a_key_is_unique_in_a_transaction_as_elsewhere(
    jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    first = await jobs.submit(greet.job("Ada"), unique_key="greeting")
    async with engine.begin() as connection:
        again = await jobs.using(connection).submit(
            greet.job("Bob"), unique_key="greeting", labels={"to": "Bob"}
        )
    assert again.is_duplicate
    assert again.id == first.id


async def test_an_id_that_is_there_costs_a_transaction_nothing(
    jobs: DefaultJobManager, engine: AsyncEngine, store: SQLJobStore
) -> None:
    new = named(store, a_job())
    await store.insert([new])
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO orders VALUES ('a book')"))
        (answer,) = await store.using(connection).insert([new])
        assert not answer.created
    async with engine.connect() as connection:
        orders = await connection.execute(text("SELECT name FROM orders"))
        assert orders.scalars().all() == ["a book"]
    assert (await jobs.statistics()).count(JobStatus.QUEUED) == 1


async def test_a_retry_meets_a_key_that_a_transaction_is_taking(
    jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    failed = await jobs.submit(greet.job("Ada"), unique_key="key", max_retries=0)
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    await jobs.fail(claim, ValueError())
    async with engine.begin() as connection:
        transaction = jobs.using(connection)
        await transaction.submit(greet.job("Bob"), unique_key="key")
        retrying = asyncio.create_task(jobs.retry(failed))
        await asyncio.sleep(0.2)  # by now it waits for the key
        assert not retrying.done()
    with pytest.raises(JobConflictError):
        await retrying
    assert (await jobs.get(failed)).status is JobStatus.FAILED


async def test_a_claim_passes_by_what_a_transaction_has_locked(
    jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    locked, free = await jobs.submit_many([greet.job("Ada"), greet.job("Bob")])
    lock = text("SELECT id FROM jobs WHERE id = :id FOR UPDATE")
    async with engine.begin() as connection:
        await connection.execute(lock, {"id": locked.id})
        result = await jobs.claim("worker", ["default"], 2)
        assert [each.job_id for each in result.claims] == [free.id]


async def test_workers_are_woken_by_the_commit(
    jobs: DefaultJobManager, engine: AsyncEngine, store: SQLJobStore
) -> None:
    await store._database.waker._heard_itself.wait()  # type: ignore[attr-defined]  # a listener's
    waiting = asyncio.create_task(store.wait(("default",), "worker", HOUR))
    async with engine.begin() as connection:
        await jobs.using(connection).submit(greet.job("Ada"))
        await connection.execute(text("SELECT pg_sleep(0.05)"))
        assert not waiting.done()
    await asyncio.wait_for(waiting, timeout=10)


async def test_a_connection_without_a_transaction_is_refused(
    jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(InvalidJobError, match="has no open transaction"):
            await jobs.using(connection).submit(greet.job("Ada"))
    with pytest.raises(InvalidJobError, match="is no AsyncConnection"):
        await jobs.using("a connection").submit(greet.job("Ada"))


async def test_stores_without_transactions_say_so_at_start_up(url: str) -> None:
    for plain in (InMemoryJobStore(), SQLJobStore(url)):
        async with plain, DefaultJobManager(plain) as jobs:
            with pytest.raises(UnsupportedError, match="TransactionalStore"):
                jobs.require(TransactionalStore)
            with pytest.raises(UnsupportedError, match="TransactionalStore"):
                jobs.using(object())


async def test_a_claim_that_is_lost_cannot_be_completed(
    jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    await jobs.submit(greet.job("Ada"))
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    await jobs.release(claim)
    async with engine.begin() as connection:
        with pytest.raises(ClaimLostError):
            await jobs.using(connection).complete(claim, "too late")


async def test_a_job_that_another_transaction_has_is_a_conflict(
    jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    await jobs.submit(greet.job("Ada"))
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    async with engine.begin() as one, engine.begin() as other:
        assert await jobs.using(one).complete(claim, "first") is JobStatus.COMPLETED
        with pytest.raises(JobConflictError):
            await jobs.using(other).complete(claim, "second")
    assert (await jobs.get(claim.job_id)).value == "first"


async def test_a_job_that_another_transaction_has_for_a_moment_is_waited_for(
    jobs: DefaultJobManager, engine: AsyncEngine
) -> None:
    """As a renewal does, which comes whenever it likes."""
    await jobs.submit(greet.job("Ada"))
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    async with engine.begin() as connection:
        async with engine.begin() as other:
            lock = text("SELECT id FROM jobs WHERE id = :id FOR UPDATE")
            await other.execute(lock, {"id": claim.job_id})
            completing = asyncio.create_task(
                jobs.using(connection).complete(claim, "done")
            )
            await asyncio.wait({completing}, timeout=0.05)
            assert not completing.done()
        assert await completing is JobStatus.COMPLETED
    assert (await jobs.get(claim.job_id)).value == "done"


async def test_a_handler_commits_its_work_and_its_completion_together(
    jobs: DefaultJobManager, engine: AsyncEngine, store: SQLJobStore
) -> None:
    """Its job is not lost to it meanwhile, though its row is locked and then ended."""
    ship, came_to_its_end = Tasks(), asyncio.Event()

    @ship.task(context=True, max_retries=0)
    async def ship_order(context: JobContext, name: str) -> str:
        async with engine.begin() as connection:
            order = text("INSERT INTO orders VALUES (:name)")
            await connection.execute(order, {"name": name})
            await context.complete(connection, f"{name} is on its way")
            await asyncio.sleep(1.5 * LEASE.total_seconds())
            if name == "nothing":
                raise RolledBackError
        await asyncio.sleep(LEASE.total_seconds())
        came_to_its_end.set()
        return "what is returned later is not stored"

    @ship.task()
    async def neighbour() -> None:
        await asyncio.sleep(2 * LEASE.total_seconds())

    jobs.require(TransactionalStore)
    async with Worker(jobs, ship):
        shipped = await jobs.submit(ship_order.job("a book"))
        rolled_back = await jobs.submit(ship_order.job("nothing"))
        beside = await jobs.submit(neighbour.job())
        assert await jobs.result(shipped) == "a book is on its way"
        with pytest.raises(JobFailedError, match="RolledBackError"):
            await jobs.result(rolled_back)
        await jobs.result(beside)
        await asyncio.wait_for(came_to_its_end.wait(), timeout=10)
    for job in (shipped, beside):
        ended = await jobs.get(job)
        assert (ended.status, ended.attempt) == (JobStatus.COMPLETED, 1)
    async with engine.connect() as connection:
        orders = await connection.execute(text("SELECT name FROM orders"))
        assert orders.scalars().all() == ["a book"]
    assert (await store.verify()).sound
