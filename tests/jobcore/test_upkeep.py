"""Upkeep does its duties by itself, in turns, and survives what the store does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from jobcore import (
    DefaultJobManager,
    DueSchedules,
    Every,
    InMemoryJobStore,
    JobcoreConfig,
    JobRequest,
    JobStatus,
    Limit,
    Priority,
    Promotion,
    ScheduleStore,
    StoreUnavailableError,
    WorkerDirectory,
)
from jobcore.upkeep import Upkeep

pytestmark = pytest.mark.anyio

QUICK = JobcoreConfig(
    job_claim_timeout=timedelta(seconds=0.3),
    job_polling_interval=timedelta(milliseconds=10),
    stale_job_claim_check_interval=timedelta(milliseconds=10),
    prune_interval=timedelta(milliseconds=10),
    schedule_check_interval=timedelta(milliseconds=10),
    store_retry_timeout=timedelta(milliseconds=10),
    retention_completed=timedelta(hours=1),
)


@asynccontextmanager
async def upkeep(
    store: InMemoryJobStore, config: JobcoreConfig = QUICK
) -> AsyncIterator[DefaultJobManager]:
    async with DefaultJobManager(store, config) as jobs:
        task = asyncio.create_task(Upkeep(jobs).run())
        try:
            yield jobs
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    while not await condition():  # noqa: ASYNC110 - upkeep has nobody to tell
        await asyncio.sleep(0.001)


async def test_queues_a_job_when_it_is_due() -> None:
    async with InMemoryJobStore() as store, upkeep(store) as jobs:
        job = await jobs.submit(JobRequest("task"), delay=timedelta(hours=1))
        assert (await jobs.get(job)).status is JobStatus.SCHEDULED
        store.offset = timedelta(hours=1)

        async def queued() -> bool:
            return (await jobs.get(job)).status is JobStatus.QUEUED

        await until(queued)


async def test_sleeps_no_longer_than_until_the_next_job_is_due() -> None:
    slow = QUICK.model_copy(update={"job_polling_interval": timedelta(hours=1)})
    async with InMemoryJobStore() as store, DefaultJobManager(store, slow) as jobs:
        job = await jobs.submit(JobRequest("task"), delay=timedelta(milliseconds=50))
        task = asyncio.create_task(Upkeep(jobs).run())

        async def queued() -> bool:
            return (await jobs.get(job)).status is JobStatus.QUEUED

        await until(queued)
        task.cancel()


async def test_notices_a_short_delay_that_begins_while_it_sleeps() -> None:
    slow = QUICK.model_copy(update={"job_polling_interval": timedelta(hours=1)})
    async with InMemoryJobStore() as store, upkeep(store, slow) as jobs:
        job = await jobs.submit(JobRequest("task"))
        (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
        await jobs.snooze(claim, timedelta(milliseconds=20))

        async def queued() -> bool:
            return (await jobs.get(job)).status is JobStatus.QUEUED

        await until(queued)
        later = await jobs.submit(JobRequest("task"), delay=timedelta(milliseconds=20))

        async def later_queued() -> bool:
            return (await jobs.get(later)).status is JobStatus.QUEUED

        await until(later_queued)


async def test_returns_the_job_of_a_worker_that_died() -> None:
    async with InMemoryJobStore() as store, upkeep(store) as jobs:
        job = await jobs.submit(JobRequest("task"))
        await jobs.claim("dead", ["default"], 1)
        store.offset = timedelta(hours=1)

        async def returned() -> bool:
            return (await jobs.get(job)).losses == 1

        await until(returned)


async def test_lifts_what_nobody_else_lifted() -> None:
    limit = Limit(concurrency=1)
    async with InMemoryJobStore() as store, upkeep(store) as jobs:
        request = JobRequest("task")
        await jobs.submit_many([request] * 2, limit_key="one", limit=limit)
        taken = await jobs.claim("worker", ["default"], 2)
        assert (len(taken.claims), taken.held) == (1, 1)
        await jobs.limit("one", None)
        store.offset = timedelta(hours=1)

        async def lifted() -> bool:
            return not (await jobs.statistics()).count(JobStatus.HELD)

        await until(lifted)


async def test_prunes_what_is_older_than_its_retention() -> None:
    async with InMemoryJobStore() as store, upkeep(store) as jobs:
        await jobs.submit(JobRequest("task"))
        (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
        await jobs.complete(claim)
        store.offset = timedelta(hours=2)

        async def pruned() -> bool:
            return not (await jobs.find()).jobs

        await until(pruned)


async def test_leaves_a_duty_to_whose_turn_it_is() -> None:
    class Elsewhere(InMemoryJobStore):
        def ability(self, kind: type[Any]) -> Any:
            return _Never() if kind is WorkerDirectory else super().ability(kind)

    class _Never:
        asked = asyncio.Event()

        async def turn(self, duty: str, interval: timedelta) -> bool:
            del interval
            if duty == "release_stale":
                self.asked.set()
            return False

    async with Elsewhere() as store, upkeep(store) as jobs:
        job = await jobs.submit(JobRequest("task"))
        await jobs.claim("dead", ["default"], 1)
        store.offset = timedelta(hours=1)
        await _Never.asked.wait()
        assert (await jobs.get(job)).losses == 0


async def test_one_of_a_manager_is_enough_and_another_goes_on_after_it() -> None:
    class Watched(DefaultJobManager):
        by: ClassVar[list[object]] = []

        async def promote_due_jobs(self, limit: int = 1000) -> Promotion:
            self.by.append(asyncio.current_task())
            return await super().promote_due_jobs(limit)

    async def often() -> bool:
        return len(Watched.by) > 10

    async def by_another() -> bool:
        return len(set(Watched.by)) > 1

    async with InMemoryJobStore() as store, Watched(store, QUICK) as jobs:
        first, second = (asyncio.create_task(Upkeep(jobs).run()) for _ in range(2))
        await until(often)
        assert not await by_another()
        first.cancel()
        await until(by_another)
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)


async def test_outlives_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    class Flaky(InMemoryJobStore):
        down = True

        async def promote(self, limit: int) -> Promotion:
            if self.down:
                raise StoreUnavailableError("test")
            return await super().promote(limit)

        async def expired(self, limit: int) -> list[Any]:
            if self.down:
                raise StoreUnavailableError("test")
            return list(await super().expired(limit))

    async with Flaky() as store, upkeep(store) as jobs:
        job = await jobs.submit(JobRequest("task"), delay=timedelta(hours=1))

        async def complained() -> bool:
            return {"promote", "release_stale"} <= {
                record.getMessage().partition(":")[0] for record in caplog.records
            }

        await until(complained)
        store.down = False
        store.offset = timedelta(hours=1)

        async def queued() -> bool:
            return (await jobs.get(job)).status is JobStatus.QUEUED

        await until(queued)


async def test_fires_a_schedule_when_it_is_due() -> None:
    async with InMemoryJobStore() as store, upkeep(store) as jobs:
        hour = timedelta(hours=1)
        await jobs.schedule("hourly", JobRequest("task"), Every(hour))
        store.offset = hour
        await until(lambda: _found(jobs))


async def test_a_schedule_of_this_manager_is_not_waited_for() -> None:
    slow = QUICK.model_copy(update={"schedule_check_interval": timedelta(hours=1)})
    async with InMemoryJobStore() as store, upkeep(store, slow) as jobs:
        await asyncio.sleep(0)
        second = timedelta(seconds=1)
        await jobs.schedule("quick", JobRequest("task"), Every(second))
        await until(lambda: _found(jobs))


async def test_goes_on_firing_when_the_store_was_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with InMemoryJobStore() as store:
        schedules = store.ability(ScheduleStore)
        assert schedules is not None
        due, failures = schedules.due_schedules, [StoreUnavailableError("down")]

        async def fail(limit: int) -> DueSchedules:
            if failures:
                raise failures.pop()
            return await due(limit)

        monkeypatch.setattr(schedules, "due_schedules", fail)
        async with upkeep(store) as jobs:
            hour = timedelta(hours=1)
            await until(lambda: _found_nothing(failures))
            await jobs.schedule("hourly", JobRequest("task"), Every(hour))
            store.offset = hour
            await until(lambda: _found(jobs))


async def _found(jobs: DefaultJobManager) -> bool:
    return bool((await jobs.find()).jobs)


async def _found_nothing(left: Sequence[object]) -> bool:
    return not left


async def test_makes_jobs_more_urgent_that_have_waited() -> None:
    hour = timedelta(hours=1)
    ageing = QUICK.model_copy(update={"priority_ageing": hour})
    async with InMemoryJobStore() as store, DefaultJobManager(store, ageing) as jobs:
        low = await jobs.submit(JobRequest("task"), priority=Priority.LOW)
        urgent = await jobs.submit(JobRequest("task"), priority=-30_000)
        assert await jobs.age() == 0
        store.offset = hour
        late = await jobs.submit(JobRequest("task"), priority=Priority.LOW)
        for priority in (0, -100, -200, -200):
            await jobs.age()
            assert (await jobs.get(low)).priority == priority
        assert (await jobs.get(urgent)).priority == -30_000
        assert (await jobs.get(late)).priority == Priority.LOW
        assert (await store.verify()).sound


async def test_ages_only_where_that_is_wanted() -> None:
    span = timedelta(milliseconds=20)
    ageing = QUICK.model_copy(update={"priority_ageing": span})
    async with InMemoryJobStore() as store, upkeep(store, ageing) as jobs:
        job = await jobs.submit(JobRequest("task"))

        async def is_critical() -> bool:
            return (await jobs.get(job)).priority == Priority.CRITICAL

        await until(is_critical)
    async with InMemoryJobStore() as store, DefaultJobManager(store, QUICK) as jobs:
        await jobs.submit(JobRequest("task"))
        store.offset = timedelta(days=9)
        assert await jobs.age() == 0
