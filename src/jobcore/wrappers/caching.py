"""A store that remembers jobs which have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Final, TypeVar

from jobcore.abilities import DueSchedules, ScheduleRecord, ScheduleStore
from jobcore.claim import ClaimRequest, ClaimResult
from jobcore.job import TERMINAL, Inserted, Job, NewJob
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.transition import Answer, Transition
from jobcore.wrappers.base import StoreWrapper

A = TypeVar("A")

_MAX_AGE: Final = timedelta(seconds=5)


class CachingStore(StoreWrapper):
    """Answers `get` from memory for up to *size* jobs that were terminal when they were
    asked for, those that were asked for last.

    A terminal job changes only by an operator's retry, and goes by being deleted. What
    is done through this very instance shows at once. What another process does, or a
    transaction of the host's, shows when *max_age* has passed since the job was read,
    or when a claim of this instance takes the job. Until then `get` shows the job as it
    had ended; that is all that can be stale. Writes are judged by the store, so that a
    stale record never lets one through.
    """

    def __init__(
        self, wrapped: JobStore, *, size: int = 10_000, max_age: timedelta = _MAX_AGE
    ) -> None:
        super().__init__(wrapped)
        self._memory = _Memory(size, max_age)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._memory.forget_all()
        await super().__aexit__(kind, error, traceback)

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        known = self._memory.known(ids, attempts=attempts)
        asked = [job_id for job_id in ids if job_id not in known]
        if not asked:
            return [known[job_id] for job_id in ids]
        with self._memory.reading() as reading:
            found = await super().get(asked, attempts=attempts)
        ended = [job for job in found if job is not None and job.status in TERMINAL]
        self._memory.remember(reading, ended, attempts=attempts)
        answers = iter(found)
        return [known[job_id] if job_id in known else next(answers) for job_id in ids]

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        try:
            return await super().insert(jobs)
        finally:
            self._memory.forget(job.id for job in jobs)

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        result = await super().claim(request)
        self._memory.forget(claim.job_id for claim in result.claims)
        return result

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        # A refused write, too, may have been asked for by somebody whom we told of the
        # past: what is read next must be the present.
        try:
            return await super().apply(transitions)
        finally:
            self._memory.forget(each.job_id for each in transitions)

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        deleted = 1
        try:
            deleted = await super().delete(filter, limit)
        finally:
            if filter.ids is not None:
                self._memory.forget(filter.ids)
            elif deleted:
                self._memory.forget_all()
        return deleted

    def ability(self, kind: type[A]) -> A | None:
        found = super().ability(kind)
        if not isinstance(found, ScheduleStore):
            return found
        noticed: object = _NoticedSchedules(found, self._memory)
        return noticed if isinstance(noticed, kind) else found


class _NoticedSchedules(ScheduleStore):
    """Schedules whose jobs are inserted, so that what was remembered of them goes."""

    def __init__(self, wrapped: ScheduleStore, memory: _Memory) -> None:
        self._wrapped = wrapped
        self._memory = memory

    async def schedules(
        self, names: Sequence[str] | None = None
    ) -> list[ScheduleRecord]:
        return await self._wrapped.schedules(names)

    async def due_schedules(self, limit: int) -> DueSchedules:
        return await self._wrapped.due_schedules(limit)

    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        try:
            return await self._wrapped.fire(schedule, expected, jobs)
        finally:
            self._memory.forget(job.id for job in jobs)

    async def unschedule(self, name: str) -> bool:
        return await self._wrapped.unschedule(name)


class _Reading:
    """A call of `get` under way, and what was written since it began: of that, the
    answer may tell the past."""

    def __init__(self, began_at: float) -> None:
        self.began_at = began_at
        self.written: set[str] | None = set()

    def may_tell(self, job_id: str) -> bool:
        return self.written is not None and job_id not in self.written


class _Memory:
    """Terminal jobs with and without their attempts, and when they were read."""

    def __init__(self, size: int, max_age: timedelta) -> None:
        self._size = size
        self._max_age = max_age.total_seconds()
        self._jobs: dict[tuple[str, bool], tuple[Job, float]] = {}
        self._readings: set[_Reading] = set()

    def known(self, ids: Iterable[str], *, attempts: bool) -> dict[str, Job]:
        """Those of *ids* that need not be asked for."""
        now = self._now()
        known: dict[str, Job] = {}
        for job_id in ids:
            entry = self._jobs.pop((job_id, attempts), None)
            if entry is not None and now - entry[1] < self._max_age:
                self._jobs[job_id, attempts] = entry
                known[job_id] = entry[0]
        return known

    @contextmanager
    def reading(self) -> Iterator[_Reading]:
        """Note what is written while the store is read."""
        reading = _Reading(self._now())
        self._readings.add(reading)
        try:
            yield reading
        finally:
            self._readings.remove(reading)

    def remember(
        self, reading: _Reading, jobs: Iterable[Job], *, attempts: bool
    ) -> None:
        """Keep what *reading* found, and no more than the size allows."""
        for job in jobs:
            if reading.may_tell(job.id):
                self._jobs.pop((job.id, attempts), None)
                self._jobs[job.id, attempts] = job, reading.began_at
        while len(self._jobs) > self._size:
            del self._jobs[next(iter(self._jobs))]

    def forget(self, ids: Iterable[str]) -> None:
        for job_id in ids:
            for attempts in (False, True):
                self._jobs.pop((job_id, attempts), None)
            for reading in self._readings:
                if reading.written is not None:
                    reading.written.add(job_id)

    def forget_all(self) -> None:
        self._jobs.clear()
        for reading in self._readings:
            reading.written = None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
