"""Why a job is where it is: what must change first before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from jobcore.abilities import (
    Explainable,
    Limited,
    Paused,
    QueueControl,
    WorkerDirectory,
    WorkerRecord,
)
from jobcore.attempt import Outcome
from jobcore.calls import StoreCalls
from jobcore.explanation import MOST_AHEAD, Cause, Explanation, is_given_back
from jobcore.job import Job, JobStatus, Limit
from jobcore.lifecycle import APPROVAL
from jobcore.store import JobStore

_MOST_RUNNING: Final = 10_000
"""Up to how many places of a limit key are counted."""

_ENDS: Final = {
    JobStatus.COMPLETED: Cause.COMPLETED,
    JobStatus.FAILED: Cause.FAILED,
    JobStatus.CANCELED: Cause.CANCELED,
}
_TRIED_AGAIN: Final = {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST}


class Explaining:
    """Looks for the cause, in the order in which a job goes on: it is due and promoted,
    lifted, its queue and its task go on, a worker asks for it that has its task, those
    before it are gone, and its limit has room. What comes first there is named, and
    what comes later may be so as well."""

    def __init__(self, store: JobStore, calls: StoreCalls) -> None:
        self._store = store
        self._calls = calls

    async def explain(self, job: Job[Any]) -> Explanation:
        """Why *job* is where it is, by several reads, one after the other."""
        able = self._store.ability(Explainable)
        seen_at = None if able is None else await self._calls.call(able.clock)
        match job.status:
            case JobStatus.SCHEDULED:
                found = await self._scheduled(job, seen_at)
            case JobStatus.HELD:
                found = await self._held(job)
            case JobStatus.QUEUED:
                found = await self._queued(job, seen_at)
            case JobStatus.IN_PROGRESS:
                found = await self._in_progress(job, seen_at)
            case ended:
                found = Explanation(job=job, cause=_ENDS[ended])
        return replace(found, seen_at=seen_at)

    async def _scheduled(self, job: Job[Any], now: datetime | None) -> Explanation:
        if now is not None and job.due_at <= now:
            return Explanation(job=job, cause=Cause.NOT_PROMOTED)
        limit, limited = await self._limited(job)
        if limit and limited and limited.pace.has_reserved(limit, job.due_at):
            return Explanation(job=job, cause=Cause.OVER_RATE, limit=limit)
        if job.outcome in _TRIED_AGAIN and job.failures + job.losses > 0:
            return Explanation(job=job, cause=Cause.BACKING_OFF)
        if is_given_back(job):  # as it is by workers without its task
            lacking = _lacking(job, await self._workers())
            if lacking is not None and lacking.cause is Cause.NO_WORKER_HAS_TASK:
                return lacking
        return Explanation(job=job, cause=Cause.NOT_DUE)

    async def _held(self, job: Job[Any]) -> Explanation:
        holder = job.held_by or ""
        kind, _, name = holder.partition(":")
        if holder == APPROVAL:
            return Explanation(job=job, cause=Cause.NEEDS_APPROVAL)
        if kind == "task":
            paused = name in (await self._paused()).tasks
            cause = Cause.TASK_PAUSED if paused else Cause.NOT_LIFTED
            return Explanation(job=job, cause=cause)
        limit, limited = await self._limited(job)
        if kind != "limit" or limited is None:
            return Explanation(job=job, cause=Cause.HELD)
        full = _full(job, limit, limited)
        if full is not None:
            return full
        return Explanation(
            job=job, cause=Cause.NOT_LIFTED, limit=limit, running=limited.running
        )

    async def _queued(self, job: Job[Any], now: datetime | None) -> Explanation:
        paused = await self._paused()
        if job.queue in paused.queues:
            return Explanation(job=job, cause=Cause.QUEUE_PAUSED)
        if job.task in paused.tasks:
            return Explanation(job=job, cause=Cause.TASK_PAUSED)
        alive = await self._workers()
        lacking = _lacking(job, alive)
        if lacking is not None:
            return lacking
        workers = None if alive is None else _ids(_able(job, alive))
        ahead = await self._ahead(job)
        if ahead:
            cause = Cause.BEHIND_OTHERS
            return Explanation(job=job, cause=cause, ahead=ahead, workers=workers)
        stopped = await self._stopped(job, now)
        if stopped is not None:
            return replace(stopped, workers=workers, ahead=ahead)
        return Explanation(job=job, cause=Cause.CLAIMABLE, workers=workers, ahead=ahead)

    async def _in_progress(self, job: Job[Any], now: datetime | None) -> Explanation:
        if now is not None and job.lease_until is not None and job.lease_until <= now:
            return Explanation(job=job, cause=Cause.LEASE_RAN_OUT)
        alive = await self._workers()
        holder = None
        if alive is not None:
            holder = _ids(each for each in alive if each.id == job.worker)
        return Explanation(job=job, cause=Cause.CLAIMED, workers=holder)

    async def _stopped(self, job: Job[Any], now: datetime | None) -> Explanation | None:
        """That a claim which meets it would hold or defer it."""
        limit, limited = await self._limited(job)
        if limit is None or limited is None:
            return None
        full = _full(job, limit, limited)
        if full is None and now is not None and not limited.pace.may_start(limit, now):
            return Explanation(job=job, cause=Cause.OVER_RATE, limit=limit)
        return full

    async def _limited(self, job: Job[Any]) -> tuple[Limit | None, Limited | None]:
        """The figures that hold for its limit key, and what that is like."""
        able, key = self._store.ability(Explainable), job.limit_key
        if able is None or key is None:
            return job.limit, None
        limited = await self._calls.call(lambda: able.limited(key, _MOST_RUNNING))
        return limited.limit or job.limit, limited

    async def _ahead(self, job: Job[Any]) -> int | None:
        able = self._store.ability(Explainable)
        if able is None:
            return None
        return await self._calls.call(lambda: able.ahead(job.id, MOST_AHEAD))

    async def _paused(self) -> Paused:
        control = self._store.ability(QueueControl)
        return Paused() if control is None else await self._calls.call(control.paused)

    async def _workers(self) -> list[WorkerRecord] | None:
        directory = self._store.ability(WorkerDirectory)
        return None if directory is None else await self._calls.call(directory.workers)


def _lacking(job: Job[Any], alive: Sequence[WorkerRecord] | None) -> Explanation | None:
    """That none of the workers would run it; None where one would, or nobody knows."""
    if alive is None or _able(job, alive):
        return None
    asking = _ids(each for each in alive if job.queue in each.queues)
    cause = Cause.NO_WORKER_HAS_TASK if asking else Cause.NO_WORKER
    return Explanation(job=job, cause=cause, workers=asking)


def _able(job: Job[Any], alive: Sequence[WorkerRecord]) -> list[WorkerRecord]:
    """The workers that would run it."""
    return [
        each for each in alive if job.queue in each.queues and job.task in each.tasks
    ]


def _full(job: Job[Any], limit: Limit | None, limited: Limited) -> Explanation | None:
    """That its limit has no room; None where it has."""
    if limit is None or limit.concurrency is None:
        return None
    if len(limited.running) < limit.concurrency:
        return None
    full = Explanation(
        job=job, cause=Cause.LIMIT_FULL, limit=limit, running=limited.running
    )
    return full if full.schedule is None else replace(full, cause=Cause.SCHEDULE_BUSY)


def _ids(workers: Iterable[WorkerRecord]) -> tuple[str, ...]:
    return tuple(each.id for each in workers)
