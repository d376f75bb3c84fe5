"""A manager says how it is, and its workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from jobcore import (
    DefaultJobManager,
    Health,
    HealthChecks,
    JobcoreConfig,
    Promotion,
    StoreUnavailableError,
    Tasks,
    Worker,
)
from tests.jobcore.faults import FaultyStore

pytestmark = pytest.mark.anyio

WELL = Health(alive=True, started=True, connected=True)
APART = Health(alive=True, started=True, connected=False)
ENTERED = Health(alive=True, started=False, connected=False)
GONE = StoreUnavailableError("gone")

HOUR = timedelta(hours=1)


@pytest.fixture
def config() -> JobcoreConfig:
    return JobcoreConfig(
        job_claim_timeout=timedelta(seconds=0.3),
        job_polling_interval=timedelta(milliseconds=10),
        store_retry_timeout=timedelta(milliseconds=1),
    )


@pytest.fixture
async def worker(jobs: DefaultJobManager) -> AsyncIterator[Worker]:
    async with Worker(jobs, Tasks(), queues=["any"], upkeep=False) as worker:
        yield worker


async def until(jobs: DefaultJobManager, health: Health) -> None:
    """Return when *jobs* are so; the test's own time limit is the only one."""
    while await jobs.health() != health:  # noqa: ASYNC110 - time changes it, too
        await asyncio.sleep(0.005)


async def test_a_manager_without_a_worker_asks_its_store(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    assert await jobs.health() == WELL
    store.fail("get", GONE)
    assert await jobs.health() == APART
    assert await jobs.health() == WELL
    assert store.calls["get"] == 3, "nothing is tried again"


async def test_a_store_that_keeps_silent_is_not_waited_for(
    jobs: DefaultJobManager, store: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobcore.reaching._PATIENCE", 0.01)
    gate = store.gate("get")
    assert await jobs.health() == APART
    gate.opened.set()
    assert await jobs.health() == WELL


async def test_a_manager_that_is_not_open_has_not_started(store: FaultyStore) -> None:
    jobs = DefaultJobManager(store)
    assert await jobs.health() == ENTERED
    async with jobs:
        assert await jobs.health() == WELL
    assert await jobs.health() == ENTERED


async def test_a_worker_is_connected_as_long_as_it_claims_or_renews(
    jobs: DefaultJobManager, store: FaultyStore, worker: Worker
) -> None:
    await until(jobs, WELL)
    store.fail("claim", *[GONE] * 10_000)
    store.fail("renew", *[GONE] * 10_000)
    await until(jobs, APART)
    store.failures.clear()
    await until(jobs, WELL)
    assert store.calls["get"] == 0
    assert worker.is_healthy


async def test_a_worker_that_never_reached_its_store_is_not_connected(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    store.fail("claim", *[GONE] * 10_000)
    store.fail("renew", *[GONE] * 10_000)
    async with Worker(jobs, Tasks(), queues=["any"], upkeep=False):
        assert await jobs.health() == APART


async def test_a_worker_that_opens_its_resources_has_not_started(
    jobs: DefaultJobManager,
) -> None:
    tasks, asked, opened = Tasks(), asyncio.Event(), asyncio.Event()

    @tasks.worker_resource
    async def slow() -> AsyncIterator[str]:
        asked.set()
        await opened.wait()
        yield "open"

    worker = asyncio.create_task(Worker(jobs, tasks, queues=["any"]).run())
    await asked.wait()
    assert await jobs.health() == ENTERED
    opened.set()
    await until(jobs, WELL)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert await jobs.health() == WELL, "it is a manager without a worker again"


async def test_a_worker_that_cannot_start_leaves_nothing(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    tasks = Tasks()

    @tasks.worker_resource
    async def broken() -> AsyncIterator[str]:
        raise ConnectionError
        yield  # which makes it a generator

    with pytest.raises(ConnectionError):
        async with Worker(jobs, tasks, queues=["any"]):
            pytest.fail("it has not started")
    assert await jobs.health() == WELL
    assert store.calls["get"] == 1


async def test_a_worker_that_died_is_not_alive(
    jobs: DefaultJobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(limit: int = 1000) -> Promotion:
        raise MemoryError(limit)

    monkeypatch.setattr(jobs, "promote_due_jobs", die)
    seen: list[Health] = []

    async def work() -> None:
        async with Worker(jobs, Tasks(), queues=["any"]):
            try:
                await asyncio.Event().wait()
            finally:
                seen.append(await jobs.health())

    with pytest.raises(ExceptionGroup):
        await work()
    assert seen == [Health(alive=False, started=False, connected=False)]
    assert await jobs.health() == WELL


async def test_a_worker_that_was_stopped_is_not_missed(
    jobs: DefaultJobManager, worker: Worker
) -> None:
    await worker.stop()
    await asyncio.sleep(0)
    assert await jobs.health() == WELL


async def test_all_workers_have_to_be_well(
    jobs: DefaultJobManager, worker: Worker
) -> None:
    await until(jobs, WELL)
    assert worker.is_healthy
    remove = jobs.health_checks.add(lambda: APART)
    assert await jobs.health() == APART
    remove()
    assert await jobs.health() == WELL


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [(WELL, WELL, WELL), (WELL, APART, APART), (ENTERED, APART, ENTERED)],
)
def test_both_have_what_each_has(first: Health, second: Health, both: Health) -> None:
    assert first & second == second & first == both
    checks = HealthChecks()
    removals = [checks.add(lambda: first), checks.add(lambda: second)]
    assert checks.ask() == both
    for remove in removals:
        remove()
    assert checks.ask() is None
