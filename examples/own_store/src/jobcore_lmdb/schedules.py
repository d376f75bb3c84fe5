"""The ability `ScheduleStore`, on top of the plain store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import islice, takewhile
from typing import Final

from pydantic import TypeAdapter

from jobcore import DueSchedules, Inserted, NewJob, ScheduleRecord, ScheduleStore
from jobcore_lmdb import verbs
from jobcore_lmdb.keys import SCHEDULE, TICK, instant
from jobcore_lmdb.ledger import Ledger
from jobcore_lmdb.store import PlainLMDBJobStore, reading, writing

_RECORD: Final = TypeAdapter(ScheduleRecord)


def _schedules(
    ledger: Ledger, names: Sequence[str] | None = None
) -> list[ScheduleRecord]:
    if names is None:
        return [_RECORD.validate_json(each) for _, each in ledger.scan(SCHEDULE)]
    found = (_find(ledger, name) for name in sorted(set(names)))
    return [each for each in found if each]


def _due_schedules(ledger: Ledger, limit: int) -> DueSchedules:
    first = [name.decode() for _, name in islice(ledger.scan(TICK), limit + 1)]
    line = [each for name in first if (each := _find(ledger, name))]
    waits = [(each.due_at or ledger.now) - ledger.now for each in line]
    due = list(takewhile(lambda wait: wait <= timedelta(0), waits[:limit]))
    later = waits[len(due) :]
    return DueSchedules(
        now=ledger.now,
        schedules=tuple(line[: len(due)]),
        next_due_in=max(later[0], timedelta(0)) if later else None,
    )


def _fire(
    ledger: Ledger,
    schedule: ScheduleRecord,
    expected: str | None,
    jobs: Sequence[NewJob],
) -> list[Inserted] | None:
    there = _find(ledger, schedule.name)
    revision = there and there.revision
    if revision not in {expected, schedule.revision}:
        return None
    _write(ledger, there, schedule)
    return verbs.insert(ledger, jobs)


def _unschedule(ledger: Ledger, name: str) -> bool:
    there = _find(ledger, name)
    _write(ledger, there, None)
    return there is not None


def _find(ledger: Ledger, name: str) -> ScheduleRecord | None:
    stored = ledger.get(SCHEDULE + name.encode())
    return None if stored is None else _RECORD.validate_json(stored)


def _write(
    ledger: Ledger, old: ScheduleRecord | None, new: ScheduleRecord | None
) -> None:
    """Let *new* stand where *old* stood, also in the line of those that are due."""
    if old:
        ledger.transaction.delete(SCHEDULE + old.name.encode())
        ledger.transaction.delete(_tick_key(old))
    if new:
        name = new.name.encode()
        ledger.transaction.put(SCHEDULE + name, _RECORD.dump_json(new))
        if new.due_at is not None:
            ledger.transaction.put(_tick_key(new), name)


def _tick_key(schedule: ScheduleRecord) -> bytes:
    return TICK + instant(schedule.due_at) + schedule.name.encode()


class SchedulingLMDBJobStore(PlainLMDBJobStore, ScheduleStore):
    """Keeps jobs in an LMDB file, and schedules."""

    schedules = reading(_schedules)
    due_schedules = reading(_due_schedules)
    fire = writing(_fire)
    unschedule = writing(_unschedule)
