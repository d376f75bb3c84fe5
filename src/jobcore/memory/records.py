"""The records of the memory store, and every way they are found."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from jobcore.attempt import Attempt
from jobcore.job import TERMINAL, Job, JobStatus
from jobcore.memory.line import Lines

_QUEUED, _HELD = JobStatus.QUEUED, JobStatus.HELD
_SCHEDULED, _IN_PROGRESS = JobStatus.SCHEDULED, JobStatus.IN_PROGRESS


@dataclass(slots=True)
class Record:
    """A job as it is stored, with what is shown to nobody."""

    job: Job
    token: str | None = None
    receipt: str | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(slots=True)
class Index:
    """Where jobs are found by their status; made of jobs and nothing else."""

    counts: Counter[tuple[str, JobStatus]] = field(default_factory=Counter)
    in_progress: dict[str, None] = field(default_factory=dict)
    holders: defaultdict[str, set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )
    finished: dict[JobStatus, dict[str, None]] = field(
        default_factory=lambda: {status: {} for status in TERMINAL}
    )

    def add(self, job: Job) -> None:
        status = job.status
        self.counts[job.queue, status] += 1
        if status is _IN_PROGRESS:
            self.in_progress[job.id] = None
            if job.limit_key is not None:
                self.holders[job.limit_key].add(job.id)
        elif status in TERMINAL:
            self.finished[status][job.id] = None

    def remove(self, job: Job) -> None:
        status = job.status
        self.counts[job.queue, status] -= 1
        if status is _IN_PROGRESS:
            del self.in_progress[job.id]
            if job.limit_key is not None:
                self.holders[job.limit_key].remove(job.id)
        elif status in TERMINAL:
            del self.finished[status][job.id]


class Records:
    """All records, changed only by `add`, `change` and `remove`."""

    def __init__(self) -> None:
        self.by_id: dict[str, Record] = {}
        self.index: Index = Index()
        self.queued: Lines = Lines(lambda name: _Stands(self.by_id, _QUEUED, name))
        self.held: Lines = Lines(lambda name: _Stands(self.by_id, _HELD, name))
        self.scheduled: list[tuple[datetime, str]] = []
        self.unique: dict[tuple[str, str], str] = {}
        self.changes: int = 0
        self.waiting: set[asyncio.Future[None]] = set()

    def add(self, job: Job) -> None:
        self.by_id[job.id] = Record(job)
        if job.unique_key is not None and job.status in job.unique_scope:
            self.unique[job.task, job.unique_key] = job.id
        self._enter(job)

    def change(self, record: Record, fields: Mapping[str, Any]) -> None:
        self.index.remove(record.job)
        record.job = job = record.job.changed(fields)
        if job.status is not _IN_PROGRESS:
            record.token = None
        if job.unique_key is not None and job.status not in job.unique_scope:
            self._free_unique_key(job)
        self._enter(job)

    def remove(self, job: Job) -> None:
        self.index.remove(job)
        self._free_unique_key(job)
        del self.by_id[job.id]

    def next_scheduled(self) -> tuple[datetime, str] | None:
        """The scheduled job that is due first."""
        while self.scheduled and not self._is_scheduled(*self.scheduled[0]):
            heapq.heappop(self.scheduled)
        return self.scheduled[0] if self.scheduled else None

    def wake(self) -> None:
        """Tell those who wait that something may be claimable, or be canceled."""
        self.changes += 1
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _enter(self, job: Job) -> None:
        self.index.add(job)
        status = job.status
        if status is _QUEUED:
            self.queued[job.queue].join(job)
        elif status is _HELD and job.held_by is not None:
            self.held[job.held_by].join(job)
        elif status is _SCHEDULED:
            heapq.heappush(self.scheduled, (job.due_at, job.id))
        if status is _QUEUED or job.cancel_requested_at is not None:
            self.wake()

    def _free_unique_key(self, job: Job) -> None:
        if job.unique_key is not None:
            name = job.task, job.unique_key
            if self.unique.get(name) == job.id:
                del self.unique[name]

    def _is_scheduled(self, due_at: datetime, job_id: str) -> bool:
        record = self.by_id.get(job_id)
        if record is None or record.job.status is not _SCHEDULED:
            return False
        return record.job.due_at == due_at


@dataclass(frozen=True, slots=True)
class _Stands:
    """Whether a job is still where it lined up: in the line *name* of its status."""

    by_id: Mapping[str, Record]
    status: JobStatus
    name: str

    def __call__(self, priority: int, due_at: datetime, job_id: str) -> bool:
        record = self.by_id.get(job_id)
        if record is None or record.job.status is not self.status:
            return False
        job = record.job
        name = job.held_by if self.status is _HELD else job.queue
        return (job.priority, job.due_at, name) == (priority, due_at, self.name)


class Clock:
    """The wall clock when it is first asked, and monotonic time from then on."""

    def __init__(self) -> None:
        self._zero: datetime | None = None

    def now(self) -> datetime:
        monotonic = timedelta(seconds=asyncio.get_running_loop().time())
        if self._zero is None:
            self._zero = datetime.now(UTC) - monotonic
        return self._zero + monotonic
