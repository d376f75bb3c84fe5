"""Situations in which a job does not run, or has run: one per cause, and some more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

from jobcore import (
    Cause,
    Claim,
    DefaultJobManager,
    Every,
    Job,
    JobRequest,
    JobStore,
    Limit,
    NewJob,
    Outcome,
    Overlap,
    QueueControl,
    WorkerRecord,
    lifecycle,
    never,
)
from jobcore.testing import pass_time

HOUR: Final = timedelta(hours=1)
SEND: Final = JobRequest("send", {}).with_options(queue="mail")


@dataclass(frozen=True, slots=True)
class Place:
    """A store, and a manager on it that does no upkeep."""

    store: JobStore
    jobs: DefaultJobManager

    async def submitted(self, **options: Any) -> Job:
        return await self.jobs.submit(SEND.with_options(**options))

    async def claimed(self, limit: int = 1, worker: str = "w-1") -> list[Claim]:
        return list((await self.jobs.claim(worker, ["mail"], limit)).claims)

    async def works(self, worker: str = "w-1", task: str = "send") -> None:
        record = WorkerRecord(id=worker, queues=("mail", "other"), tasks=(task,))
        await self.jobs.seen(record)

    @property
    def control(self) -> QueueControl:
        """Without what a manager does besides."""
        ability = self.store.ability(QueueControl)
        assert ability is not None
        return ability


Prepare: TypeAlias = Callable[[Place], Awaitable[Job[Any]]]


async def not_due(place: Place) -> Job:
    return await place.submitted(delay=HOUR)


async def given_back(place: Place) -> Job:
    job = await place.submitted()
    (claim,) = await place.claimed()
    await place.jobs.snooze(claim, HOUR)
    return job


async def backing_off(place: Place) -> Job:
    job = await place.submitted(max_retries=3)
    (claim,) = await place.claimed()
    await place.jobs.fail(claim, ValueError("no"))
    return job


async def lost_once(place: Place) -> Job:
    job = await place.submitted()
    await place.claimed()
    pass_time(place.store, HOUR)
    await place.jobs.release_stale_claims()
    return job


async def over_rate(place: Place) -> Job:
    limit = Limit(rate=2, period=HOUR)
    *_, job = [await place.submitted(limit_key="acme", limit=limit) for _ in range(3)]
    assert len(await place.claimed(9)) == 1
    return job


async def over_a_rate_that_was_set(place: Place) -> Job:
    await place.control.limit("acme", Limit(rate=1, period=HOUR))
    _, job = [await place.submitted(limit_key="acme") for _ in range(2)]
    assert len(await place.claimed(9)) == 1
    return job


async def next_over_rate(place: Place) -> Job:
    limit = Limit(rate=2, period=HOUR)
    await place.works()
    await place.submitted(limit_key="acme", limit=limit)
    await place.claimed()
    return await place.submitted(limit_key="acme", limit=limit)


async def not_promoted(place: Place) -> Job:
    job = await not_due(place)
    pass_time(place.store, 2 * HOUR)
    return job


async def needs_approval(place: Place) -> Job:
    return await place.submitted(approval=True)


async def limit_full(place: Place) -> Job:
    limit = Limit(concurrency=2)
    *_, job = [await place.submitted(limit_key="acme", limit=limit) for _ in range(3)]
    assert len(await place.claimed(9)) == 2
    return job


async def next_over_limit(place: Place) -> Job:
    await place.works()
    limit = Limit(concurrency=1)
    await place.submitted(limit_key="acme", limit=limit)
    await place.claimed()
    return await place.submitted(limit_key="acme", limit=limit)


async def schedule_busy(place: Place) -> Job:
    rule = Every(HOUR, overlap=Overlap.WAIT)
    await place.jobs.schedule("nightly", SEND, rule)
    await place.jobs.trigger("nightly")
    job = await place.jobs.trigger("nightly")
    assert len(await place.claimed(9)) == 1
    return await place.jobs.get(job.id)


async def task_paused(place: Place) -> Job:
    await place.works()
    job = await place.submitted()
    await place.jobs.pause(task="send")
    return job


async def held_for_its_task(place: Place) -> Job:
    job = await task_paused(place)
    assert await place.claimed() == []
    return job


async def held(place: Place) -> Job:
    new = NewJob(task="send", queue="mail", held_by="moon:full")
    named = new.named(place.store.new_id(new))
    return (await place.store.insert([named]))[0].job


async def not_lifted(place: Place) -> Job:
    limit = Limit(concurrency=1)
    _, job = [await place.submitted(limit_key="acme", limit=limit) for _ in range(2)]
    (claim,) = await place.claimed(9)
    await place.store.apply([lifecycle.complete(claim, b"1")])
    return job


async def not_lifted_after_its_pause(place: Place) -> Job:
    job = await held_for_its_task(place)
    await place.control.resume(task="send")
    return job


async def not_lifted_after_its_limit_was_raised(place: Place) -> Job:
    job = await limit_full(place)
    await place.control.limit("acme", Limit(concurrency=3))
    return job


async def queue_paused(place: Place) -> Job:
    await place.works()
    await place.jobs.pause(queue="mail")
    return await place.submitted()


async def no_worker(place: Place) -> Job:
    await place.jobs.seen(WorkerRecord(id="w-1", queues=("other",), tasks=("send",)))
    return await place.submitted()


async def no_worker_any_more(place: Place) -> Job:
    await place.works()
    pass_time(place.store, HOUR)
    return await place.submitted()


async def no_worker_has_task(place: Place) -> Job:
    await place.works(task="receive")
    return await place.submitted()


async def given_back_as_its_task_is_unknown(place: Place) -> Job:
    job = await no_worker_has_task(place)
    (claim,) = await place.claimed()
    await place.jobs.release(claim, HOUR)
    return job


async def behind_others(place: Place) -> Job:
    for worker in ("w-1", "w-2", "w-3"):
        await place.works(worker)
    await place.submitted(priority=-1)
    await place.submitted(queue="other")
    key = "acme"  # so that they share a partition
    first = await place.submitted(limit_key=key)
    job = await place.submitted(limit_key=key, priority=1)
    assert first.id != job.id
    return job


async def claimable(place: Place) -> Job:
    await place.works()
    await place.works("w-2", task="receive")
    return await place.submitted()


async def claimed(place: Place) -> Job:
    await place.works()
    job = await place.submitted()
    await place.claimed()
    return job


async def claimed_by_who_is_gone(place: Place) -> Job:
    job = await claimed(place)
    await place.jobs.gone("w-1")
    return job


async def claimed_and_to_be_canceled(place: Place) -> Job:
    job = await claimed(place)
    await place.jobs.cancel(job)
    return job


async def lease_ran_out(place: Place) -> Job:
    job = await claimed(place)
    pass_time(place.store, HOUR)
    return job


async def completed(place: Place) -> Job:
    job = await place.submitted()
    (claim,) = await place.claimed()
    await place.jobs.complete(claim)
    return job


async def failed(place: Place) -> Job:
    job = await place.submitted(max_retries=3)
    (claim,) = await place.claimed()
    await place.jobs.fail(claim, ValueError("no\nmore"), retry=never())
    return job


async def took_too_long(place: Place) -> Job:
    job = await place.submitted(max_retries=0)
    (claim,) = await place.claimed()
    error = TimeoutError("slow")
    await place.jobs.fail(claim, error, outcome=Outcome.TIMED_OUT)
    return job


async def failed_at_its_deadline(place: Place) -> Job:
    job = await place.submitted(deadline=timedelta(seconds=1), max_retries=3)
    (claim,) = await place.claimed()
    await place.jobs.fail(claim, ValueError("no"))
    return job


async def failed_as_lost(place: Place) -> Job:
    job = await place.submitted()
    for _ in range(place.jobs.config.max_lost):
        pass_time(place.store, HOUR)
        await place.jobs.promote_due_jobs()
        await place.claimed()
        pass_time(place.store, HOUR)
        await place.jobs.release_stale_claims()
    return job


async def canceled(place: Place) -> Job:
    job = await place.submitted()
    await place.jobs.cancel(job)
    return job


SITUATIONS: Final[list[tuple[Prepare, Cause, str]]] = [
    (not_due, Cause.NOT_DUE, r"It is due at .* UTC\."),
    (given_back, Cause.NOT_DUE, r"Worker w-1 gave it back until .* UTC\."),
    (
        backing_off,
        Cause.BACKING_OFF,
        r"Its attempt 1 failed \(ValueError: no\); "
        r"it is tried again at .* UTC \(retry 1 of 3\)\.",
    ),
    (
        lost_once,
        Cause.BACKING_OFF,
        r"The claim of its attempt 1 was lost; it is tried again at .* \(loss 1\)\.",
    ),
    (
        over_rate,
        Cause.OVER_RATE,
        r"The rate of the limit key acme, 2 per 1:00:00, does not let it start "
        r"before .* UTC\.",
    ),
    (over_a_rate_that_was_set, Cause.OVER_RATE, r".*, 1 per 1:00:00, .*"),
    (next_over_rate, Cause.OVER_RATE, r".*, 2 per 1:00:00, does not .* start now\."),
    (
        not_promoted,
        Cause.NOT_PROMOTED,
        r"It has been due since .* UTC, and no upkeep has queued it\.",
    ),
    (needs_approval, Cause.NEEDS_APPROVAL, r"It is held until somebody approves it\."),
    (
        limit_full,
        Cause.LIMIT_FULL,
        r"It waits for the limit key acme, which has 2 places; \S+ and \S+ run\.",
    ),
    (next_over_limit, Cause.LIMIT_FULL, r".* which has 1 place; \S+ runs\."),
    (
        schedule_busy,
        Cause.SCHEDULE_BUSY,
        r"It waits for an earlier job of its schedule nightly to end; \S+ runs\.",
    ),
    (task_paused, Cause.TASK_PAUSED, r"Its task send is paused\."),
    (held_for_its_task, Cause.TASK_PAUSED, r"Its task send is paused\."),
    (held, Cause.HELD, r"It is held by moon:full\."),
    (
        not_lifted,
        Cause.NOT_LIFTED,
        r"It was held by limit:acme, which is over; no upkeep has queued it\.",
    ),
    (not_lifted_after_its_pause, Cause.NOT_LIFTED, r"It was held by task:send, .*"),
    (not_lifted_after_its_limit_was_raised, Cause.NOT_LIFTED, r".*limit:acme.*"),
    (queue_paused, Cause.QUEUE_PAUSED, r"Its queue mail is paused\."),
    (
        no_worker,
        Cause.NO_WORKER,
        r"No live worker is known that asks for its queue mail\.",
    ),
    (no_worker_any_more, Cause.NO_WORKER, r"No live worker .*"),
    (
        no_worker_has_task,
        Cause.NO_WORKER_HAS_TASK,
        r"1 worker asks for its queue mail, and none has its task send\.",
    ),
    (given_back_as_its_task_is_unknown, Cause.NO_WORKER_HAS_TASK, r"1 worker asks .*"),
    (
        behind_others,
        Cause.BEHIND_OTHERS,
        r"It waits in queue mail behind 2 others; 3 workers look after it\.",
    ),
    (
        claimable,
        Cause.CLAIMABLE,
        r"It may be claimed from queue mail now; 1 worker looks after it\.",
    ),
    (claimed, Cause.CLAIMED, r"Worker w-1 has claimed it until .* UTC\."),
    (
        claimed_by_who_is_gone,
        Cause.CLAIMED,
        r"Worker w-1, who is not among those that live, has claimed it until .* UTC\.",
    ),
    (
        claimed_and_to_be_canceled,
        Cause.CLAIMED,
        r"Worker w-1 has .*; a cancellation was requested at .* UTC\.",
    ),
    (
        lease_ran_out,
        Cause.LEASE_RAN_OUT,
        r"The lease of worker w-1 ran out at .* UTC, and no upkeep has released the "
        r"claim\.",
    ),
    (completed, Cause.COMPLETED, r"It completed at .* UTC, in attempt 1\."),
    (failed, Cause.FAILED, r"It failed at .* UTC \(ValueError: no\)\."),
    (
        took_too_long,
        Cause.FAILED,
        r"It failed .*, as its last attempt took too long \(TimeoutError: slow\)\.",
    ),
    (
        failed_at_its_deadline,
        Cause.FAILED,
        r"It failed at .*, as its deadline let no other attempt begin \(.*\)\.",
    ),
    (failed_as_lost, Cause.FAILED, r".*, as its claims were lost too often \(.*\)\."),
    (canceled, Cause.CANCELED, r"It was canceled at .* UTC\."),
]
