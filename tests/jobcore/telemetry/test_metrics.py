"""Metrics say what happened: no more, no less, and under names that stay."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from jobcore import (
    TERMINAL,
    DefaultJobManager,
    Every,
    InMemoryJobStore,
    Job,
    JobRequest,
    JobStatus,
    Limit,
    StoreUnavailableError,
    Tasks,
    Worker,
    current_job,
    fixed,
)
from jobcore.telemetry import Telemetry
from jobcore_sql import SQLJobStore
from tests.jobcore.faults import FaultyStore
from tests.jobcore.telemetry.conftest import QUICK, Observatory, until

pytestmark = pytest.mark.anyio

RUNS = "messaging.process.duration"
EVENTS = "jobcore.events"
GREET = JobRequest("greet", options={"queue": "mail"})
LABELS = ("messaging.destination.name", "jobcore.status")
HOUR = timedelta(hours=1)
AT_ONCE = fixed(timedelta(0))


class Journal:
    """What the handlers of a run have seen, written by themselves."""

    def __init__(self) -> None:
        self.runs: Counter[tuple[object, ...]] = Counter()
        self.retried = 0
        self.waiting = asyncio.Semaphore(0)

    def ran(self, outcome: str) -> None:
        self.runs[current_job().job.task, outcome] += 1

    def tasks(self) -> Tasks:
        tasks = Tasks()
        self._add_quick(tasks)
        self._add_slow(tasks)
        return tasks

    def _add_quick(self, tasks: Tasks) -> None:
        @tasks.task(queue="quick")
        async def succeed() -> None:
            self.ran("succeeded")

        @tasks.task(queue="quick", max_retries=3, retry=AT_ONCE)
        async def stumble(times: int) -> None:
            if current_job().job.attempt <= times:
                self.ran("failed")
                self.retried += 1
                raise ValueError(times)
            self.ran("succeeded")

        @tasks.task(queue="quick", max_retries=1, retry=AT_ONCE)
        async def fail() -> None:
            self.ran("failed")
            self.retried += current_job().job.attempt == 1
            raise KeyError

    def _add_slow(self, tasks: Tasks) -> None:
        @tasks.task(queue="slow", max_retries=0, timeout=timedelta(milliseconds=5))
        async def tarry() -> None:
            self.ran("timed_out")
            await asyncio.sleep(60)

        @tasks.task(queue="slow")
        async def snooze() -> None:
            if current_job().job.attempt == 1:
                self.ran("released")
                current_job().snooze(timedelta(milliseconds=1))
            self.ran("succeeded")

        @tasks.task(queue="slow")
        async def wait() -> None:
            self.waiting.release()
            self.ran("canceled")
            await asyncio.sleep(60)


async def everything(jobs: DefaultJobManager, journal: Journal) -> list[Job[object]]:
    """Some hundred jobs, each of which ends, in every way; as they are then."""
    tasks = journal.tasks()
    wanted = [
        *(tasks["succeed"].job() for _ in range(150)),
        *(tasks["stumble"].job(number % 3) for number in range(90)),
        *(tasks["fail"].job() for _ in range(30)),
        *(tasks["tarry"].job() for _ in range(20)),
        *(tasks["snooze"].job() for _ in range(20)),
    ]
    submitted = await jobs.submit_many(wanted[1:])
    submitted.append(await jobs.submit(wanted[0]))
    never_run = await jobs.submit_many([tasks["succeed"].job()] * 15, delay=HOUR)
    running = await jobs.submit_many([tasks["wait"].job()] * 5)
    async with Worker(jobs, tasks, concurrency=20):
        for _ in running:
            await journal.waiting.acquire()
        for job in (*running, *never_run):
            await jobs.cancel(job)
        every = [*submitted, *never_run, *running]
        await asyncio.gather(*map(jobs.result, every), return_exceptions=True)
    return [await jobs.get(job, attempts=True) for job in every]


async def test_metrics_equal_what_an_independent_journal_says(
    observatory: Observatory, tmp_path: Path
) -> None:
    journal = Journal()
    store = SQLJobStore(f"sqlite+aiosqlite:///{tmp_path}/jobs.db")
    async with observatory.manager(store) as jobs:
        ended = await everything(jobs, journal)
        stored = await jobs.statistics()
    assert len(ended) == 330
    assert {each.status for each in ended} == TERMINAL

    runs = observatory.counts(RUNS, "jobcore.task", "jobcore.outcome")
    assert runs == journal.runs
    of_kind = observatory.counts(EVENTS, "jobcore.event")
    claims = sum(each.attempt for each in ended)
    assert of_kind == {
        ("submitted",): len(ended),
        ("claimed",): claims,
        ("retrying",): journal.retried,
        ("released",): claims - sum(runs.values()) + 20,
        ("succeeded",): stored.count(JobStatus.COMPLETED),
        ("failed",): stored.count(JobStatus.FAILED),
        ("canceled",): stored.count(JobStatus.CANCELED),
        ("cancel requested",): 5,
    }
    latencies = observatory.counts("jobcore.claim.latency", "jobcore.task")
    assert latencies == claims_by_task(ended)


def claims_by_task(ended: list[Job[object]]) -> Counter[tuple[object, ...]]:
    counts: Counter[tuple[object, ...]] = Counter()
    for each in ended:
        counts[each.task,] += each.attempt
    return counts


async def test_run_times_are_those_of_the_handlers(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    tasks = Tasks()

    @tasks.task(queue="mail")
    async def rest() -> None:
        await asyncio.sleep(0.05)

    began_at = time.perf_counter()
    async with Worker(jobs, tasks):
        await jobs.result(await jobs.submit(rest.job()))
    ((total, attributes),) = observatory.sums(RUNS)
    assert 0.05 <= total <= time.perf_counter() - began_at
    assert attributes == {
        "messaging.system": "jobcore",
        "messaging.operation.name": "run",
        "messaging.destination.name": "mail",
        "jobcore.task": "rest",
        "jobcore.outcome": "succeeded",
    }


async def test_what_is_claimed_late_is_told_by_the_store_s_clock(
    observatory: Observatory,
) -> None:
    store = InMemoryJobStore()
    async with observatory.manager(store) as jobs:
        await jobs.submit(GREET)
        store.offset = HOUR
        await jobs.claim("worker", ["mail"], 1)
    ((total, attributes),) = observatory.sums("jobcore.claim.latency")
    assert 3600 <= total < 3660
    assert attributes == {"messaging.destination.name": "mail", "jobcore.task": "greet"}


async def test_jobs_that_are_held_are_counted_one_by_one(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    limit = Limit(concurrency=1)
    await jobs.submit_many([GREET] * 3, limit_key="key", limit=limit)
    await jobs.claim("worker", ["mail"], 3)
    assert observatory.counts(EVENTS, "jobcore.event")["held",] == 2


async def test_ticks_are_counted_by_schedule(observatory: Observatory) -> None:
    store = InMemoryJobStore()
    async with observatory.manager(store) as jobs:
        await jobs.schedule("hourly", GREET, Every(HOUR))
        store.offset = HOUR
        await jobs.fire_due_schedules()
    kinds = observatory.counts(EVENTS, "jobcore.event", "jobcore.schedule")
    assert kinds == {("schedule fired", "hourly"): 1}


async def test_lost_leases_are_counted(observatory: Observatory) -> None:
    store = InMemoryJobStore()
    async with observatory.manager(store) as jobs:
        await jobs.submit(GREET)
        await jobs.claim("worker", ["mail"], 1)
        store.offset = HOUR
        await jobs.release_stale_claims()
    kinds = observatory.counts(EVENTS, "jobcore.event", "jobcore.task")
    assert kinds["lost", "greet"] == 1


async def test_margins_are_told_of_workers_that_hold_something(
    observatory: Observatory,
) -> None:
    tasks, told = Tasks(), asyncio.Event()

    @tasks.task()
    async def wait() -> None:
        await told.wait()

    config = QUICK.model_copy(update={"job_claim_timeout": timedelta(seconds=1)})
    async with (
        observatory.manager(InMemoryJobStore(), config) as jobs,
        Worker(jobs, tasks),
    ):
        await jobs.submit(wait.job())
        await until(lambda: observatory.counts("jobcore.lease.margin"))
        told.set()
    ((total, _),) = observatory.sums("jobcore.lease.margin")
    (count,) = observatory.counts("jobcore.lease.margin").values()
    assert 0 < total / count < 1


async def test_a_blocked_event_loop_is_seen(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    del jobs
    await asyncio.sleep(0)
    time.sleep(0.3)  # noqa: ASYNC251 - which is what handlers should not do
    await until(lambda: observatory.counts("jobcore.event_loop.lag"))
    ((total, _),) = observatory.sums("jobcore.event_loop.lag")
    assert total >= 0.04


async def test_calls_of_the_store_are_told_by_verb_and_error(
    observatory: Observatory,
) -> None:
    store = FaultyStore()
    async with observatory.manager(store) as jobs:
        store.fail("insert", StoreUnavailableError("gone"))
        await jobs.submit(GREET)
        await jobs.pause(queue="mail")
    calls = observatory.counts(
        "jobcore.store.duration", "jobcore.store.verb", "error.type"
    )
    assert calls["insert", None] == 1
    assert calls["insert", "jobcore.errors.StoreUnavailableError"] == 1
    assert calls["pause", None] == 1


async def test_submits_are_timed_as_their_callers_see_them(
    observatory: Observatory,
) -> None:
    store = FaultyStore()
    config = QUICK.model_copy(update={"store_retry_timeout": timedelta(seconds=0.001)})
    async with observatory.manager(store, config) as jobs:
        await jobs.submit(GREET)
        store.fail("insert", ValueError("odd"))
        with pytest.raises(ValueError, match="odd"):
            await jobs.submit(GREET)
    name = "messaging.client.operation.duration"
    submits = observatory.counts(name, "messaging.operation.name", "error.type")
    assert submits == {("submit", None): 1, ("submit", "ValueError"): 1}


async def test_queues_are_told_with_all_statuses(observatory: Observatory) -> None:
    store = InMemoryJobStore()
    async with observatory.manager(store) as jobs:
        await jobs.submit_many([GREET] * 2)
        await jobs.submit(GREET, delay=HOUR)
        await jobs.submit(JobRequest("greet"), limit=Limit(concurrency=1))
        await jobs.claim("worker", ["default"], 1)
        store.offset = timedelta(minutes=-10)  # so that what waits is old by our clock
        await jobs.submit(GREET)
        await until_looked_at(observatory, 5)
        depths = observatory.values("jobcore.queue.depth", *LABELS)
        ages = observatory.values(
            "jobcore.queue.oldest_age", "messaging.destination.name"
        )
    assert {told: depth for told, depth in depths.items() if depth} == {
        ("mail", "queued"): 3,
        ("mail", "scheduled"): 1,
        ("default", "in_progress"): 1,
    }
    assert len(depths) == 2 * len(JobStatus)
    assert 600 <= ages["mail",] < 660
    assert ages["default",] == 0


async def until_looked_at(observatory: Observatory, jobs: int) -> None:
    depths = partial(observatory.values, "jobcore.queue.depth", *LABELS)
    await until(lambda: sum(depths().values()) == jobs)


async def test_what_cannot_be_looked_at_is_not_told(observatory: Observatory) -> None:
    store = FaultyStore()
    config = QUICK.model_copy(update={"store_retry_timeout": timedelta(seconds=0.001)})
    async with observatory.manager(store, config) as jobs:
        await jobs.submit(GREET)
        await until_looked_at(observatory, 1)
        store.fail("statistics", ZeroDivisionError())
        store.fail("statistics", *[StoreUnavailableError("gone")] * 1000)
        await until(lambda: not observatory.points("jobcore.queue.depth"))
        store.failures.clear()
        await until_looked_at(observatory, 1)
    assert not observatory.points("jobcore.queue.depth"), "nobody looks any more"


async def test_a_process_may_leave_the_queues_to_others(
    observatory: Observatory,
) -> None:
    store = FaultyStore()
    telemetry = Telemetry(meter_provider=observatory.metering, statistics_interval=None)
    for chosen, looks in ((observatory.telemetry, True), (telemetry, False)):
        async with store, DefaultJobManager(store, instrumentation=chosen) as jobs:
            await jobs.submit(GREET)
        assert bool(store.calls["statistics"]) is looks
        store.calls.clear()
