"""Why jobs wait: who is before them, and what their limit key is like."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select

from jobcore import Limited, Pace
from jobcore_sql.move import LIMIT
from jobcore_sql.records import IS_IN_PROGRESS, IS_QUEUED
from jobcore_sql.tables import jobs, limits
from jobcore_sql.transaction import Transaction

_c = jobs.c
_PLACE = (_c.priority, _c.due_at, _c.id)
_OWN = select(_c.queue, *_PLACE).where(IS_QUEUED, _c.id == bindparam("job_id"))
_PRIORITY, _DUE_AT, _ID = (bindparam(f"own_{x.name}", type_=x.type) for x in _PLACE)


def _counted(*conditions: ColumnElement[bool]) -> Any:
    """How many there are, up to a limit, in one range of the index of queued jobs."""
    found = select(_c.id).where(IS_QUEUED, _c.queue == bindparam("queue"), *conditions)
    return select(func.count()).select_from(found.limit(LIMIT).subquery())


# As one comparison of three columns it is no range to every database.
_AHEAD = select(
    _counted(_c.priority < _PRIORITY).scalar_subquery()
    + _counted(_c.priority == _PRIORITY, _c.due_at < _DUE_AT).scalar_subquery()
    + _counted(
        _c.priority == _PRIORITY, _c.due_at == _DUE_AT, _c.id < _ID
    ).scalar_subquery()
)
_LIMITS = select(limits).where(limits.c.key == bindparam("key"))
_RUNNING = (
    select(_c.id)
    .where(IS_IN_PROGRESS, _c.limit_key.is_not(None), _c.limit_key == bindparam("key"))
    .limit(LIMIT)
)


def ahead(transaction: Transaction, job_id: str, most: int) -> int | None:
    """How many queued jobs come before this one."""
    own = transaction.first(_OWN, job_id=job_id)
    if own is None:
        return None
    place = {f"own_{each.name}": own._asdict()[each.name] for each in _PLACE}
    (row,) = transaction.rows(_AHEAD, queue=own.queue, limit=most, **place)
    return min(int(row[0]), most)


def limited(transaction: Transaction, key: str, most: int) -> Limited:
    """What *key* is like."""
    running = sorted(row.id for row in transaction.rows(_RUNNING, key=key, limit=most))
    row = transaction.first(_LIMITS, key=key)
    if row is None:
        return Limited(running=tuple(running))
    instants = {"enforced_at": row.enforced_at, "reserved_at": row.reserved_at}
    pace = Pace(**{name: at for name, at in instants.items() if at is not None})
    return Limited(running=tuple(running), limit=row.figures, pace=pace)
