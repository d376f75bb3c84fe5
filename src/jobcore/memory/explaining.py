"""Why jobs wait, in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice

from jobcore.abilities import Explainable, Limited
from jobcore.job import JobStatus
from jobcore.memory.control import InMemoryQueueControl
from jobcore.memory.records import Records


class InMemoryExplaining(Explainable):
    """Looks at the lines and limits of a store, by its clock."""

    def __init__(
        self,
        now: Callable[[], datetime],
        records: Records,
        control: InMemoryQueueControl,
    ) -> None:
        self._now = now
        self._records = records
        self._control = control

    async def clock(self) -> datetime:
        return self._now()

    async def ahead(self, job_id: str, most: int) -> int | None:
        record = self._records.by_id.get(job_id)
        if record is None or record.job.status is not JobStatus.QUEUED:
            return None
        line = self._records.queued[record.job.queue]
        return sum(1 for _ in islice(line.before(record.job), most))

    async def next_due_at(self) -> datetime | None:
        first = self._records.next_scheduled()
        return None if first is None else first[0]

    async def limited(self, key: str, most: int) -> Limited:
        running = sorted(self._records.index.holders.get(key, ()))[:most]
        limit, pace = self._control.set_for(key)
        return Limited(running=tuple(running), limit=limit, pace=pace)
