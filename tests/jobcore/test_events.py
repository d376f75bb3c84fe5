"""What happens is told as it happens, to any number of subscribers and to the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from jobcore import (
    DefaultJobManager,
    Event,
    EventKind,
    Events,
    Every,
    Filter,
    Job,
    JobRequest,
    JobStatus,
    Limit,
    Overlap,
    StoreUnavailableError,
    Tasks,
    Worker,
    WorkerRecord,
    fixed,
    never,
)
from jobcore.events import LEVELS
from tests.jobcore.faults import FaultyStore

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
GREET = JobRequest("greet")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FIELDS = {
    *("job_id", "task", "queue", "attempt"),
    *("worker_id", "correlation_id", "traceparent"),
}


@pytest.fixture
def told(jobs: DefaultJobManager) -> Iterator[list[Event]]:
    told: list[Event] = []
    unsubscribe = jobs.events.subscribe(told.append)
    yield told
    unsubscribe()


def kinds(told: list[Event]) -> list[str]:
    return [event.kind.value for event in told]


async def test_a_life_is_told(jobs: DefaultJobManager, told: list[Event]) -> None:
    job = await jobs.submit(GREET, max_retries=1)
    for retry in (fixed(timedelta(0)), never()):
        (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
        await jobs.fail(claim, ValueError("no"), retry=retry)
    await jobs.retry(job)
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    await jobs.complete(claim)
    assert kinds(told) == [
        *("submitted", "claimed", "retrying", "claimed", "failed"),
        *("retried", "claimed", "succeeded"),
    ]
    assert {event.job.id for event in told if event.job} == {job.id}
    retrying, failed = told[2], told[4]
    assert (retrying.status, failed.status) == (JobStatus.QUEUED, JobStatus.FAILED)
    assert str(failed) == f"job {job.id} (greet) failed: attempt 2 failed: ValueError"
    assert failed.worker == "worker"


async def test_what_operators_do_is_told_with_their_names(
    jobs: DefaultJobManager, told: list[Event]
) -> None:
    await jobs.submit(GREET, approval=True)
    everything = jobs.matching(Filter(), actor="ada")
    await everything.approve()
    await everything.move(queue="slow")
    await everything.cancel()
    await everything.retry()
    await jobs.claim("worker", ["slow"], 1)
    await everything.cancel()
    assert kinds(told) == [
        *("submitted", "approved", "moved", "canceled", "retried", "claimed"),
        "cancel requested",
    ]
    assert {event.actor for event in told} == {None, "ada"}
    assert str(told[1]).endswith("approved by ada")


async def test_a_single_cancellation_is_told_once(
    jobs: DefaultJobManager, told: list[Event]
) -> None:
    job = await jobs.submit(GREET)
    for _ in range(2):
        await jobs.cancel(job)
    assert kinds(told) == ["submitted", "canceled"]


async def test_what_is_given_back_lost_or_held_is_told(
    jobs: DefaultJobManager, store: FaultyStore, told: list[Event]
) -> None:
    limit = Limit(concurrency=1)
    await jobs.submit_many([GREET] * 2, limit_key="key", limit=limit)
    (claim,) = (await jobs.claim("worker", ["default"], 2)).claims
    await jobs.release(claim)
    await jobs.claim("worker", ["default"], 1)
    store.offset = 2 * HOUR
    await jobs.release_stale_claims()
    assert kinds(told) == [
        *("submitted", "submitted", "claimed", "held", "released", "claimed", "lost"),
    ]
    assert str(told[3]) == "1 jobs held"


async def test_schedules_tell_of_their_ticks(
    jobs: DefaultJobManager, store: FaultyStore, told: list[Event]
) -> None:
    await jobs.schedule("hourly", GREET, Every(HOUR, overlap=Overlap.SKIP))
    for _ in range(2):
        store.offset += HOUR
        await jobs.fire_due_schedules()
    await jobs.seen(WorkerRecord(id="one", tasks=("other",)))
    store.offset += HOUR
    await jobs.fire_due_schedules()
    assert kinds(told) == ["schedule fired", "schedule skipped", "schedule skipped"]
    assert {event.schedule for event in told} == {"hourly"}
    assert "is not finished" in told[1].detail
    assert told[2].detail == "no worker has task greet"


async def test_an_outage_is_told_and_its_end(
    jobs: DefaultJobManager, store: FaultyStore, told: list[Event]
) -> None:
    store.fail("insert", StoreUnavailableError("down"))
    await jobs.submit(GREET)
    assert kinds(told) == ["degraded", "restored", "submitted"]
    assert "down" in told[0].detail


async def test_a_subscriber_that_fails_changes_nothing(
    jobs: DefaultJobManager, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Event] = []

    def fail(event: Event) -> None:
        raise ValueError(event)

    jobs.events.subscribe(fail)
    jobs.events.subscribe(told.append)
    job = await jobs.submit(GREET)
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    assert await jobs.complete(claim, 7) is JobStatus.COMPLETED
    assert (await jobs.get(job)).value == 7
    assert len(told) == 3
    assert caplog.text.count("a subscriber failed at: job") == 3


async def test_who_unsubscribes_hears_no_more(jobs: DefaultJobManager) -> None:
    first: list[Event] = []
    second: list[Event] = []
    unsubscribe = jobs.events.subscribe(first.append)
    jobs.events.subscribe(second.append)
    await jobs.submit(GREET)
    for _ in range(2):
        unsubscribe()
    await jobs.submit(GREET)
    assert (len(first), len(second)) == (1, 2)


def test_nobody_wants_what_nobody_hears() -> None:
    events = Events()
    assert not events.wants(EventKind.SUBMITTED)
    assert events.wants(EventKind.FAILED), "it is logged"
    events.subscribe(lambda _: None)
    assert events.wants(EventKind.SUBMITTED)


def test_every_event_has_its_level() -> None:
    assert {kind.value: logging.getLevelName(LEVELS[kind]) for kind in EventKind} == {
        "submitted": "DEBUG",
        "claimed": "DEBUG",
        "held": "DEBUG",
        "succeeded": "DEBUG",
        "released": "DEBUG",
        "schedule fired": "DEBUG",
        "cancel requested": "INFO",
        "canceled": "INFO",
        "expired": "INFO",
        "retried": "INFO",
        "moved": "INFO",
        "approved": "INFO",
        "restored": "INFO",
        "retrying": "WARNING",
        "failed": "WARNING",
        "lost": "WARNING",
        "lease lost": "WARNING",
        "schedule skipped": "WARNING",
        "degraded": "WARNING",
        "stuck": "ERROR",
        "unknown task": "ERROR",
    }


async def test_each_record_about_a_job_has_its_fields(
    jobs: DefaultJobManager, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "jobcore")
    options: dict[str, Any] = {"correlation_id": "order 7", "traceparent": TRACE}
    job = await jobs.submit(GREET, **options)
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    await jobs.fail(claim, ValueError("no"), retry=never())
    records = [each for each in caplog.records if job.id in each.getMessage()]
    assert len(records) == 3
    for record in records:
        assert vars(record).keys() >= FIELDS
    failed = vars(records[-1])
    assert {name: failed[name] for name in FIELDS} == {
        "job_id": job.id,
        "task": "greet",
        "queue": "default",
        "attempt": 1,
        "worker_id": "worker",
        "correlation_id": "order 7",
        "traceparent": TRACE,
    }


async def test_jobs_of_a_handler_belong_to_what_its_own_belongs_to(
    jobs: DefaultJobManager,
) -> None:
    tasks = Tasks()

    @tasks.task()
    async def inner() -> None: ...

    @tasks.task()
    async def outer() -> list[str]:
        same = await jobs.submit(inner.job())
        other = await jobs.submit(inner.job(), correlation_id="mine")
        return [same.id, other.id]

    async with Worker(jobs, tasks):
        options: dict[str, Any] = {"correlation_id": "order 7", "traceparent": TRACE}
        plain: Job[Any] = await jobs.submit(outer.job())
        outside: Job[Any] = await jobs.submit(outer.job(), **options)
        same, other = await jobs.result(outside)
        assert (await jobs.get(same)).details.correlation_id == "order 7"
        assert (await jobs.get(same)).details.traceparent == TRACE
        assert (await jobs.get(other)).details.correlation_id == "mine"
        same, _ = await jobs.result(plain)
        assert (await jobs.get(same)).extra is None


async def test_workers_tell_of_tasks_that_they_lack(jobs: DefaultJobManager) -> None:
    told: list[Event] = []
    jobs.events.subscribe(told.append)
    tasks = Tasks()

    @tasks.task()
    async def work() -> None: ...

    async with Worker(jobs, tasks, upkeep=False) as worker:
        await jobs.submit(JobRequest("none"))
        await jobs.result(await jobs.submit(work.job()))
    (unknown,) = [event for event in told if event.kind is EventKind.UNKNOWN_TASK]
    assert unknown.worker == worker.id
