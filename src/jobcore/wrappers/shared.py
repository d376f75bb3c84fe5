"""Abilities of several stores as one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from jobcore.abilities import (
    DueSchedules,
    Examinable,
    Explainable,
    Limited,
    Paused,
    QueueControl,
    ScheduleRecord,
    ScheduleStore,
    Verifiable,
    Verification,
)
from jobcore.finding import Finding
from jobcore.job import Inserted, Limit, NewJob
from jobcore.wrappers.merging import all_of, one_verification

Insert: TypeAlias = Callable[[Sequence[NewJob]], Awaitable[list[Inserted]]]


class SharedControl(QueueControl):
    """Pauses and limits that hold in each store. A call that fails may have reached
    some; repeated, it reaches all."""

    def __init__(self, controls: Sequence[QueueControl]) -> None:
        self._controls = controls

    async def pause(self, *, queue: str | None = None, task: str | None = None) -> None:
        await all_of(each.pause(queue=queue, task=task) for each in self._controls)

    async def resume(
        self, *, queue: str | None = None, task: str | None = None
    ) -> None:
        await all_of(each.resume(queue=queue, task=task) for each in self._controls)

    async def paused(self) -> Paused:
        parts = await all_of(each.paused() for each in self._controls)
        return Paused(
            frozenset(queue for each in parts for queue in each.queues),
            frozenset(task for each in parts for task in each.tasks),
        )

    async def limit(self, key: str, limit: Limit | None) -> None:
        await all_of(each.limit(key, limit) for each in self._controls)

    async def lift(self, holders: Sequence[str] | None, limit: int) -> int:
        lifted = 0
        for control in self._controls:
            if lifted < limit:
                lifted += await control.lift(holders, limit - lifted)
        return lifted


class SharedSchedules(ScheduleStore):
    """Schedules that one store keeps, whose jobs may lie in others: which of them do
    not *lie beside* it is told by their ids, and those go in by *insert*."""

    def __init__(
        self,
        kept: ScheduleStore,
        lies_beside: Callable[[str], bool],
        insert: Insert,
    ) -> None:
        self._kept = kept
        self._lies_beside = lies_beside
        self._insert = insert

    async def schedules(
        self, names: Sequence[str] | None = None
    ) -> list[ScheduleRecord]:
        return await self._kept.schedules(names)

    async def due_schedules(self, limit: int) -> DueSchedules:
        return await self._kept.due_schedules(limit)

    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        beside = [job for job in jobs if self._lies_beside(job.id)]
        apart = [job for job in jobs if not self._lies_beside(job.id)]
        # Whoever is too late must not insert: the job may have been deleted since.
        if apart and not await self._is_at(schedule, expected):
            return None
        inserted = await self._insert(apart) if apart else []
        fired = await self._kept.fire(schedule, expected, beside)
        if fired is None:
            return None
        rest = {True: iter(fired), False: iter(inserted)}
        return [next(rest[self._lies_beside(job.id)]) for job in jobs]

    async def unschedule(self, name: str) -> bool:
        return await self._kept.unschedule(name)

    async def _is_at(self, schedule: ScheduleRecord, expected: str | None) -> bool:
        there = await self._kept.schedules([schedule.name])
        revision = there[0].revision if there else None
        return revision in {expected, schedule.revision}


class SharedExplaining(Explainable):
    """Why jobs wait in one of the stores, by the clock of the first: which has a job
    is told by *place_of*, and the jobs of a limit key are all in one."""

    def __init__(
        self, parts: Sequence[Explainable], place_of: Callable[[str], int | None]
    ) -> None:
        self._parts = parts
        self._place_of = place_of

    async def clock(self) -> datetime:
        return await self._parts[0].clock()

    async def ahead(self, job_id: str, most: int) -> int | None:
        place = self._place_of(job_id)
        return None if place is None else await self._parts[place].ahead(job_id, most)

    async def next_due_at(self) -> datetime | None:
        found = await all_of(each.next_due_at() for each in self._parts)
        return min((each for each in found if each is not None), default=None)

    async def limited(self, key: str, most: int) -> Limited:
        found = await all_of(each.limited(key, most) for each in self._parts)
        return max(found, key=lambda each: (len(each.running), each.pace.enforced_at))


class SharedExamination(Examinable):
    """What is wrong with the server of any of the stores, which it names."""

    def __init__(self, parts: Sequence[Examinable]) -> None:
        self._parts = parts

    async def examine(self) -> list[Finding]:
        found = await all_of(each.examine() for each in self._parts)
        return [
            finding.of(f"store {place}")
            for place, part in enumerate(found)
            for finding in part
        ]


class SharedVerification(Verifiable):
    """Whether each of the stores is sound."""

    def __init__(self, parts: Sequence[Verifiable]) -> None:
        self._parts = parts

    async def verify(self) -> Verification:
        return one_verification(await all_of(each.verify() for each in self._parts))
