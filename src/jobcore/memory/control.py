"""Pauses and limits in memory."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from jobcore.abilities import Paused, QueueControl
from jobcore.job import Job, JobStatus, Limit
from jobcore.memory.records import Records
from jobcore.rate import Pace


class InMemoryQueueControl(QueueControl):
    """Keeps pauses, limits and paces; the claims of the store ask it."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._paused = Paused()
        self._limits: dict[str, Limit] = {}
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)

    async def pause(self, *, queue: str | None = None, task: str | None = None) -> None:
        self._paused = Paused(
            self._paused.queues | ({queue} if queue else set()),
            self._paused.tasks | ({task} if task else set()),
        )

    async def resume(
        self, *, queue: str | None = None, task: str | None = None
    ) -> None:
        self._paused = Paused(
            self._paused.queues - {queue}, self._paused.tasks - {task}
        )
        self._records.wake()

    async def paused(self) -> Paused:
        return self._paused

    async def limit(self, key: str, limit: Limit | None) -> None:
        if limit is None:
            self._limits.pop(key, None)
        else:
            self._limits[key] = limit

    async def lift(self, holders: Sequence[str] | None, limit: int) -> int:
        lifted = 0
        for holder in list(self._records.held) if holders is None else holders:
            lifted += self._lift(holder, limit - lifted)
        return lifted

    def set_for(self, key: str) -> tuple[Limit | None, Pace]:
        """The limit that was set for all jobs of *key*, if any, and its pace."""
        return self._limits.get(key), self._paces.get(key, Pace())

    def is_paused(self, queue: str) -> bool:
        return queue in self._paused.queues

    def obstacle(self, job: Job, now: datetime) -> dict[str, Any] | None:
        """What becomes of a job that may not start now; None if it may, and then its
        start counts against the rate of its key."""
        if job.task in self._paused.tasks:
            return {"status": JobStatus.HELD, "held_by": f"task:{job.task}"}
        key = job.limit_key
        if key is None or (limit := self._limit_of(job)) is None:
            return None
        if self._places(f"limit:{key}", job) == 0:
            return {"status": JobStatus.HELD, "held_by": f"limit:{key}"}
        if limit.rate is not None:
            pace = self._paces[key]
            if not pace.may_start(limit, now):
                self._paces[key], instant = pace.reserved(limit, now)
                return {"status": JobStatus.SCHEDULED, "due_at": instant}
            self._paces[key] = pace.started(limit, now)
        return None

    def _lift(self, holder: str, limit: int) -> int:
        lifted, line = 0, self._records.held[holder]
        places: int | None = None
        for job_id in line.take():
            record = self._records.by_id[job_id]
            if places is None:
                places = min(limit, self._places(holder, record.job))
            if lifted == places:
                line.join(record.job)
                return lifted
            fields = {"status": JobStatus.QUEUED, "held_by": None}
            self._records.change(record, fields)
            lifted += 1
        del self._records.held[holder]
        return lifted

    def _limit_of(self, job: Job) -> Limit | None:
        return self._limits.get(job.limit_key or "", job.limit)

    def _places(self, holder: str, job: Job) -> int:
        kind, _, name = holder.partition(":")
        if kind == "task":
            return 0 if name in self._paused.tasks else sys.maxsize
        if kind != "limit":
            return 0
        limit = self._limit_of(job)
        if limit is None or limit.concurrency is None:
            return sys.maxsize
        return max(limit.concurrency - len(self._records.index.holders[name]), 0)
