"""Where faults happen: a fleet of workers, a queue, and who looks at both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from jobcore import Filter, Job, JobManager, JobStatus, JobStore, Verifiable
from tools.faults.fleet import Fleet, Member

PAGE = 1000
_IN_PROGRESS = frozenset({JobStatus.IN_PROGRESS})

Held = dict[tuple[str, int], datetime]
"""The claims of a worker, by job and attempt, and when their leases end."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The workers of a *fleet* at the jobs of a *queue*."""

    jobs: JobManager
    fleet: Fleet
    queue: str

    async def in_progress(self) -> list[Job]:
        found = found_by(self.jobs, Filter(queue=self.queue, statuses=_IN_PROGRESS))
        return [job async for job in found]

    async def held(self, victim: Member) -> Held:
        """What *victim* holds by what the store says."""
        return {
            (job.id, job.attempt): job.lease_until
            for job in await self.in_progress()
            if job.worker == victim.worker and job.lease_until is not None
        }

    async def all_work(self) -> None:
        """Wait until each worker has jobs."""
        while True:
            busy = {job.worker for job in await self.in_progress()}
            if self.fleet.ready().keys() <= busy:
                return
            await asyncio.sleep(0.02)


async def found_by(jobs: JobManager, wanted: Filter) -> AsyncIterator[Job]:
    """All that *wanted* asks for, page by page."""
    cursor: str | None = None
    while True:
        page = await jobs.find(wanted, cursor=cursor, limit=PAGE)
        for job in page.jobs:
            yield job
        if (cursor := page.cursor) is None:
            return


async def unsound(store: JobStore) -> list[str]:
    """What the store finds wrong with itself, if it can tell."""
    verifiable = store.ability(Verifiable)
    if verifiable is None:
        return []
    findings = (await verifiable.verify()).findings
    return [sentence for found in findings.values() for sentence in found]
