"""Schedules, each of which changes in one transaction with the jobs of its ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy import delete as delete_from

from jobcore import DueSchedules, Inserted, NewJob, ScheduleRecord
from jobcore_sql.among import Among
from jobcore_sql.insert import insert
from jobcore_sql.move import LIMIT
from jobcore_sql.tables import schedules
from jobcore_sql.transaction import Transaction

_c = schedules.c
_ALL = select(schedules).order_by(_c.name)
_NAMED = _ALL.where(Among(_c.name, "names"))
_IS_TIMED = _c.due_at.is_not(None)
_NEXT = select(_c.due_at).where(_IS_TIMED).order_by(_c.due_at, _c.name).limit(1)
_LINE = select(schedules).where(_IS_TIMED).order_by(_c.due_at, _c.name).limit(LIMIT)
_LOCK = select(_c.revision).where(_c.name == bindparam("name")).with_for_update()
_REMOVE = delete_from(schedules).where(_c.name == bindparam("called"))


def kept(transaction: Transaction, names: Sequence[str] | None) -> list[ScheduleRecord]:
    """The schedules of these *names*, or all."""
    if names is None:
        return [_record(row) for row in transaction.rows(_ALL)]
    return [_record(row) for row in transaction.rows(_NAMED, names=names)]


def due_schedules(transaction: Transaction, limit: int) -> DueSchedules:
    """Up to *limit* of those that are due. Where none is, an index tells."""
    now, first = transaction.now, transaction.first(_NEXT)
    if first is None or first.due_at > now:
        return DueSchedules(now=now, next_due_in=first and first.due_at - now)
    line = transaction.rows(_LINE, limit=limit + 1)
    due = [row for row in line[:limit] if row.due_at <= now]
    later = next((row.due_at for row in line[len(due) :]), None)
    return DueSchedules(
        now=now,
        schedules=tuple(map(_record, due)),
        next_due_in=later and max(later - now, timedelta(0)),
    )


def fire(
    transaction: Transaction,
    schedule: ScheduleRecord,
    expected: str | None,
    jobs: Sequence[NewJob],
) -> list[Inserted] | None:
    """Replace a schedule, if it is as *expected*, and insert *jobs*."""
    row = asdict(schedule)
    if expected is None:
        # There is no row to lock. Who enters one makes others wait, who then meet it.
        transaction.add(schedules, [row])
    there = transaction.first(_LOCK, name=schedule.name)
    if there is None or there.revision not in {expected, schedule.revision}:
        return None
    transaction.upsert(schedules, row)
    return insert(transaction, jobs)


def unschedule(transaction: Transaction, name: str) -> bool:
    """Remove a schedule, if it is there."""
    if transaction.first(_LOCK, name=name) is None:
        return False
    transaction.write(_REMOVE, {"called": name})
    return True


def _record(row: Any) -> ScheduleRecord:
    return ScheduleRecord(**row._asdict())
