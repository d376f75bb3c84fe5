"""A stage for one act: a queue of its own, and the jobs that are there before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from jobcore import (
    Claim,
    Filter,
    Job,
    JobcoreConfig,
    JobManager,
    JobRequest,
    JobStatus,
    JobStore,
    Limit,
    QueueControl,
)
from tools.faults.scene import found_by

CONFIG: Final = JobcoreConfig(
    job_claim_timeout=timedelta(hours=1),
    retry_delay_base=timedelta(hours=1),
    retention_completed=timedelta(days=1),
)
"""Nothing comes to pass by itself while acts are looked at."""
_LONG: Final = timedelta(days=2)
WORKER: Final = "faults"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a store tells of the jobs of a queue, but for times and ids."""

    jobs: list[tuple[str, ...]]
    counts: dict[JobStatus, int]
    paused: tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class Stage:
    """A queue of its own, of which the only task has the same name, and the way to it
    on which nothing breaks."""

    store: JobStore
    jobs: JobManager
    queue: str

    @property
    def control(self) -> QueueControl:
        control = self.store.ability(QueueControl)
        if control is None:
            raise TypeError(self.store)
        return control

    def request(self) -> JobRequest:
        return JobRequest(self.queue, {"number": 7})

    @contextmanager
    def long_ago(self) -> Iterator[None]:
        """What is done in the body was done two days ago."""
        self.store.offset -= _LONG
        try:
            yield
        finally:
            self.store.offset += _LONG

    async def facts(self) -> Facts:
        """All that tells whether something was done to the jobs, and how often."""
        wanted = Filter(queue=self.queue)
        ids = [job.id async for job in found_by(self.jobs, wanted)]
        found = await self.store.get(ids, attempts=True)
        statistics = await self.jobs.statistics()
        paused = await self.control.paused()
        return Facts(
            sorted(_facts(each) for each in found if each),
            {each: statistics.count(each, self.queue) for each in JobStatus},
            (self.queue in paused.queues, self.queue in paused.tasks),
        )

    async def clear(self) -> None:
        """Delete what may be deleted, for the sake of acts that look at all jobs."""
        await self.store.delete(Filter(queue=self.queue), 1000)


def _facts(job: Job) -> tuple[str, ...]:
    renewed = (
        job.started_at
        and job.lease_until
        and (job.lease_until - job.started_at > CONFIG.job_claim_timeout)
    )
    filed = [(each.number, each.outcome, each.worker) for each in job.attempts]
    holder = job.held_by and job.held_by.partition(":")[0]
    told = (
        *(job.status, job.reason, holder, job.outcome, job.result, job.unique_key),
        *(job.attempt, job.failures, job.losses, job.generation, job.worker, filed),
        *(renewed, job.cancel_requested_at is not None, dict(job.labels)),
    )
    return tuple(map(str, told))


async def nothing(stage: Stage) -> Stage:
    """An empty queue."""
    return stage


async def one_waiting(stage: Stage) -> Stage:
    await waiting(stage)
    return stage


async def waiting(stage: Stage) -> Job[Any]:
    return await stage.jobs.submit(stage.request(), queue=stage.queue)


async def three_waiting(stage: Stage) -> Stage:
    for _ in range(3):
        await waiting(stage)
    return stage


async def two_limited(stage: Stage) -> Stage:
    for _ in range(2):
        one = Limit(concurrency=1)
        await stage.jobs.submit(stage.request(), queue=stage.queue, limit=one)
    return stage


async def due(stage: Stage) -> Stage:
    with stage.long_ago():
        await stage.jobs.submit(
            stage.request(), queue=stage.queue, delay=timedelta(hours=1)
        )
    return stage


async def claimed(stage: Stage) -> Claim:
    await stage.jobs.submit(stage.request(), queue=stage.queue, unique_key="key")
    return (await stage.jobs.claim(WORKER, [stage.queue], 1)).claims[0]


async def three_claimed(stage: Stage) -> tuple[Claim, ...]:
    await three_waiting(stage)
    return (await stage.jobs.claim(WORKER, [stage.queue], 3)).claims


async def stale(stage: Stage) -> Stage:
    with stage.long_ago():
        await claimed(stage)
    return stage


async def completed(stage: Stage) -> Job[Any]:
    claim = await claimed(stage)
    await stage.jobs.complete(claim)
    return claim.job


async def old(stage: Stage) -> Stage:
    with stage.long_ago():
        await completed(stage)
    return stage


async def requested(stage: Stage) -> Claim:
    claim = await claimed(stage)
    await stage.jobs.cancel(claim.job)
    return claim


async def held(stage: Stage) -> Stage:
    """Jobs that are held by a pause."""
    await three_waiting(stage)
    await stage.jobs.pause(task=stage.queue)
    await stage.jobs.claim(WORKER, [stage.queue], 3)
    return stage


async def to_be_lifted(stage: Stage) -> Stage:
    """Jobs that are held by a pause which is over."""
    await held(stage)
    await stage.control.resume(task=stage.queue)
    return stage
