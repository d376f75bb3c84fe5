"""Schedules in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from jobcore.abilities import DueSchedules, ScheduleRecord, ScheduleStore
from jobcore.job import Inserted, NewJob


class InMemorySchedules(ScheduleStore):
    """Keeps schedules by the clock of a store, and inserts into that."""

    def __init__(
        self,
        now: Callable[[], datetime],
        insert: Callable[[Sequence[NewJob]], list[Inserted]],
    ) -> None:
        self._now = now
        self._insert = insert
        self._by_name: dict[str, ScheduleRecord] = {}

    async def schedules(
        self, names: Sequence[str] | None = None
    ) -> list[ScheduleRecord]:
        wanted = self._by_name if names is None else self._by_name.keys() & set(names)
        return [self._by_name[name] for name in sorted(wanted)]

    async def due_schedules(self, limit: int) -> DueSchedules:
        now = self._now()
        timed = [(each.due_at, each) for each in self._by_name.values() if each.due_at]
        line = sorted(timed, key=lambda each: (each[0], each[1].name))
        due = tuple(each for due_at, each in line[:limit] if due_at <= now)
        later = line[len(due)][0] if len(due) < len(line) else None
        next_due_in = None if later is None else max(later - now, timedelta(0))
        return DueSchedules(now=now, schedules=due, next_due_in=next_due_in)

    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        there = self._by_name.get(schedule.name)
        revision = there and there.revision
        if revision not in {expected, schedule.revision}:
            return None
        self._by_name[schedule.name] = schedule
        return self._insert(jobs)

    async def unschedule(self, name: str) -> bool:
        return self._by_name.pop(name, None) is not None
