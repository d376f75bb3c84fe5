"""Schedules: each lies in one partition, with what its ticks make where that can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

from jobcore import DueSchedules, Inserted, NewJob, ScheduleRecord
from jobcore_redis import merging
from jobcore_redis.calls import PAGE
from jobcore_redis.first import Written
from jobcore_redis.insert import Insertion
from jobcore_redis.keys import Partition
from jobcore_redis.part import Message, Part
from jobcore_redis.parts import Parts
from jobcore_redis.problems import reading
from jobcore_redis.server import Server
from jobcore_redis.unique import FarKeys
from jobcore_redis.units import instant, since_epoch


class Schedules:
    """Keeps schedules in *parts*, and inserts the jobs of their ticks."""

    def __init__(self, server: Server, parts: Parts, keys: FarKeys) -> None:
        self._server = server
        self._parts = parts
        self._keys = keys

    async def named(self, names: Sequence[str]) -> list[ScheduleRecord]:
        """The schedules of these *names*, by name; those that there are."""
        by_part: defaultdict[Part, list[str]] = defaultdict(list)
        for name in set(names):
            by_part[self._part_of(name)].append(name)
        found: list[ScheduleRecord] = []
        for part, some in by_part.items():
            for start in range(0, len(some), PAGE):
                told = some[start : start + PAGE]
                _, kept = await part.calls.call("schedules", "", "", *told)
                found += _records(kept)
        return sorted(found, key=attrgetter("name"))

    async def all(self) -> list[ScheduleRecord]:
        """Every schedule, by name; one may be met twice on the way."""
        found: dict[str, ScheduleRecord] = {}
        for part in self._parts.all:
            cursor, more = b"0", True
            while more:
                cursor, kept = await part.calls.call("schedules", cursor, PAGE)
                found.update((each.name, each) for each in _records(kept))
                more = cursor != b"0"
        return sorted(found.values(), key=attrgetter("name"))

    async def due(self, limit: int) -> DueSchedules:
        """As the contract says."""
        answers: list[DueSchedules] = []
        later: list[datetime] = []
        for part in self._parts.all:
            at, kept, next_at = await part.calls.timed("due_schedules", limit)
            answers.append(DueSchedules(now=instant(at), schedules=_records(kept)))
            if next_at:
                later.append(instant(next_at))
        return merging.all_due(answers, later, limit)

    async def fire(
        self,
        schedule: ScheduleRecord,
        expected: str | None,
        jobs: Sequence[NewJob],
        message: Message,
    ) -> list[Inserted] | None:
        """As the contract says. All is written before any is sent."""
        part, text = self._part_of(schedule.name), _text(schedule)
        near = [place for place, each in enumerate(jobs) if self._is_near(each, part)]
        far = sorted(set(range(len(jobs))) - set(near))
        insertion = Insertion(
            self._parts, self._keys, [jobs[place] for place in far], message
        )
        written = [Written.of(jobs[place], is_far=False) for place in near]
        answers: dict[int, Inserted] = {}
        if far:
            there = await self.named([schedule.name])
            revision = there[0].revision if there else None
            if revision not in {expected, schedule.revision}:
                return None
            answers.update(zip(far, await insertion.run(), strict=True))
        fired = await part.fire(schedule.name, expected or "", text, written, message)
        if fired is None:
            return None
        answers.update(zip(near, fired, strict=True))
        return [answers[place] for place in range(len(jobs))]

    async def unschedule(self, name: str) -> bool:
        return bool(await self._part_of(name).calls.call("unschedule", name))

    def _is_near(self, job: NewJob, part: Part) -> bool:
        """Whether one step on *part* can insert *job*: it lies there, and nobody who
        lies elsewhere may have its unique key."""
        if len(self._parts.all) == 1:
            return True
        lies_in = self._server.partitions.of(job.id)
        is_there = lies_in is not None and self._parts.at(lies_in) is part
        return is_there and job.unique_key is None

    def _part_of(self, name: str) -> Part:
        partition: Partition = self._server.partitions.of_schedule(name)
        return self._parts.at(partition)


def _text(schedule: ScheduleRecord) -> bytes:
    """A schedule as `lua/_schedule.lua` tells, but for its name."""
    due = "" if schedule.due_at is None else f"{since_epoch(schedule.due_at):016}"
    return f"{due}\t{schedule.revision}\t".encode() + schedule.data


@reading()
def _records(kept: Sequence[bytes]) -> tuple[ScheduleRecord, ...]:
    """The schedules of those names and texts."""
    return tuple(map(_record, kept[::2], kept[1::2]))


def _record(name: bytes, text: bytes) -> ScheduleRecord:
    due, revision, data = text.split(b"\t", 2)
    return ScheduleRecord(
        name=name.decode(),
        revision=revision.decode(),
        data=data,
        due_at=instant(due) if due else None,
    )
