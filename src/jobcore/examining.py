"""What is wrong with a store and its workers, as far as a manager can see."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from typing import Final, TypeVar

from jobcore import faults
from jobcore.abilities import (
    Examinable,
    Explainable,
    QueueControl,
    Verifiable,
    WorkerDirectory,
    WorkerRecord,
)
from jobcore.calls import StoreCalls
from jobcore.claim import Claim, ClaimRequest
from jobcore.config import JobcoreConfig
from jobcore.errors import StoreError
from jobcore.finding import Finding, Severity
from jobcore.identity import new_token
from jobcore.job import WAITING, Job, JobStatus, NewJob
from jobcore.query import Filter
from jobcore.schedule import Schedule
from jobcore.store import JobStore

T = TypeVar("T")

_NOBODY: Final = "jobcore:examine"
"""A queue that has no jobs, and the worker that asks for it."""
_TRIES: Final = 5
"""How often something is measured, of which the median counts."""
_NO_PATIENCE: Final = timedelta(0)
_MOST_SKEW: Final = timedelta(seconds=2)
_SLOW: Final = timedelta(milliseconds=100)
_LEAST_RENEWALS: Final = 10
"""How many times a renewal has to fit into a lease."""
_SLACK: Final = timedelta(seconds=5)
"""What upkeep may be late besides its intervals."""
_LATE_TICK: Final = timedelta(minutes=1)
_SAMPLE: Final = 100
"""How many waiting jobs, and how many claims, are looked at."""


class Examining:
    """Examines one store: what its server tells, and whatever the contract and other
    abilities show. *schedules* answers those of its manager."""

    def __init__(
        self,
        store: JobStore,
        calls: StoreCalls,
        config: JobcoreConfig,
        schedules: Callable[[], Awaitable[Sequence[Schedule]]],
        random: Random,
    ) -> None:
        self._store = store
        self._calls = calls
        self._config = config
        self._schedules = schedules
        self._random = random

    async def examine(self, *, thoroughly: bool) -> list[Finding]:
        """All that is found, problems first. What the store fails in is a finding,
        which ends the examination."""
        self._calls.check()
        parts = [
            *(self._server, self._clock, self._speed, self._lease),
            *(self._ticks, self._queues, self._tasks, self._claims, self._scheduled),
            *([self._soundness] if thoroughly else []),
        ]
        found: list[Finding] = []
        for part in parts:
            try:
                found += await part()
            except StoreError as error:
                found.append(Finding(faults.UNAVAILABLE, {"error": error}))
                break
        return sorted(found, key=lambda each: each.severity is not Severity.PROBLEM)

    async def _server(self) -> list[Finding]:
        able = self._store.ability(Examinable)
        return [] if able is None else await self._call(able.examine)

    async def _clock(self) -> list[Finding]:
        able = self._store.ability(Explainable)
        if able is None:
            return []
        before = datetime.now(UTC)
        shown = await self._call(able.clock)
        doubt = (datetime.now(UTC) - before) / 2
        ahead = shown - (before + doubt)
        if abs(ahead) - doubt <= _MOST_SKEW:
            return []
        apart = round(abs(ahead).total_seconds(), 1)
        first = "store" if ahead > timedelta(0) else "host"
        return [Finding(faults.CLOCK_SKEW, {"apart": apart, "first": first})]

    async def _speed(self) -> list[Finding]:
        async def claim() -> None:
            request = ClaimRequest(
                token=new_token(self._random),
                worker=_NOBODY,
                queues=(_NOBODY,),
                limit=1,
                lease=self._config.job_claim_timeout,
            )
            await self._call(lambda: self._store.claim(request))

        took = await _measured(claim)
        data = {"took": _milliseconds(took), "bound": _milliseconds(_SLOW)}
        return [Finding(faults.SLOW_CLAIMS, data)] if took > _SLOW else []

    async def _lease(self) -> list[Finding]:
        """By renewing what nobody has, which changes nothing."""
        new = NewJob(task=_NOBODY)
        job = Job.stored(new.named(self._store.new_id(new)), datetime.now(UTC))
        claim, lease = (
            Claim(job, new_token(self._random)),
            self._config.job_claim_timeout,
        )

        async def renew() -> None:
            await self._call(lambda: self._store.renew([claim], lease))

        took = await _measured(renew)
        data = {"took": _milliseconds(took), "lease": _milliseconds(lease)}
        thin = took * _LEAST_RENEWALS > lease
        return [Finding(faults.THIN_LEASE, data)] if thin else []

    async def _ticks(self) -> list[Finding]:
        now, workers = await self._now(), await self._workers()
        known = {task for each in workers or () for task in each.tasks}
        found = []
        for each in await self._schedules():
            told = {"schedule": each.name, "task": each.task, "due_at": each.due_at}
            if each.paused:
                continue
            if each.orphaned or (known and each.task not in known):
                found.append(Finding(faults.ORPHANED_SCHEDULE, told))
            elif now and each.due_at and each.due_at < now - _LATE_TICK:
                found.append(Finding(faults.LATE_SCHEDULE, told))
        return found

    async def _queues(self) -> list[Finding]:
        workers = await self._workers()
        if workers is None:
            return []
        control = self._store.ability(QueueControl)
        passed = {queue for each in workers for queue in each.queues}
        if control is not None:
            passed |= (await self._call(control.paused)).queues
        counted = await self._call(self._store.statistics)
        found = []
        for queue in sorted(counted.queues.keys() - passed):
            if queued := counted.count(JobStatus.QUEUED, queue):
                told: Mapping[str, object] = {"queue": queue, "queued": queued}
                found.append(Finding(faults.QUEUE_WITHOUT_WORKER, told))
        return found

    async def _tasks(self) -> list[Finding]:
        """Of the waiting jobs that are newest."""
        workers = await self._workers()
        waiting = Filter(statuses=WAITING)
        page = await self._call(lambda: self._store.find(waiting, None, _SAMPLE))
        found: dict[tuple[str, str], Finding] = {}
        for job in page.jobs:
            asking = [each for each in workers or () if job.queue in each.queues]
            if asking and not any(job.task in each.tasks for each in asking):
                told = {"task": job.task, "queue": job.queue, "job_id": job.id}
                finding = Finding(faults.TASK_WITHOUT_WORKER, told)
                found.setdefault((job.queue, job.task), finding)
        return list(found.values())

    async def _claims(self) -> list[Finding]:
        now = await self._now()
        stale = await self._call(lambda: self._store.expired(_SAMPLE))
        grace = 2 * self._config.stale_job_claim_check_interval + _SLACK
        late = [
            each.job
            for each in stale
            if now and each.job.lease_until and each.job.lease_until < now - grace
        ]
        if not late:
            return []
        first = late[0]
        told = {
            "claims": _at_least(len(late)),
            "job_id": first.id,
            "since": first.lease_until,
        }
        return [Finding(faults.STALE_CLAIMS, told)]

    async def _scheduled(self) -> list[Finding]:
        able = self._store.ability(Explainable)
        if able is None:
            return []
        now = await self._call(able.clock)
        first = await self._call(able.next_due_at)
        grace = 2 * self._config.job_polling_interval + _SLACK
        late = first is not None and first < now - grace
        return [Finding(faults.NOT_PROMOTED, {"since": first})] if late else []

    async def _soundness(self) -> list[Finding]:
        able = self._store.ability(Verifiable)
        if able is None:
            return []
        verification = await self._call(able.verify)
        return [
            Finding(
                faults.UNSOUND, {"rule": rule, "times": len(told), "first": told[0]}
            )
            for rule, told in sorted(verification.findings.items())
        ]

    async def _now(self) -> datetime | None:
        able = self._store.ability(Explainable)
        return None if able is None else await self._call(able.clock)

    async def _workers(self) -> list[WorkerRecord] | None:
        directory = self._store.ability(WorkerDirectory)
        return None if directory is None else await self._call(directory.workers)

    async def _call(self, verb: Callable[[], Awaitable[T]]) -> T:
        return await self._calls.start(verb, _NO_PATIENCE)


async def _measured(act: Callable[[], Awaitable[None]]) -> timedelta:
    clock = asyncio.get_running_loop().time
    took = []
    for _ in range(_TRIES):
        began_at = clock()
        await act()
        took.append(clock() - began_at)
    return timedelta(seconds=median(took))


def _milliseconds(length: timedelta) -> float:
    return round(length / timedelta(milliseconds=1), 1)


def _at_least(count: int) -> str:
    return str(count) if count < _SAMPLE else f"at least {count}"
