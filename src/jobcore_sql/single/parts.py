"""Parts that single statements share."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Insert,
    Interval,
    String,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    select,
    type_coerce,
    union_all,
)

from jobcore import JobStatus
from jobcore_sql.columns import Instant
from jobcore_sql.records import word
from jobcore_sql.tables import deltas, jobs

NOW: Final[ColumnElement[Any]] = type_coerce(
    func.statement_timestamp() + bindparam("offset", type_=Interval), Instant
)
"""The store's clock: when the statement came in."""


ctid: Final[ColumnElement[Any]] = literal_column("ctid")
"""Where a row lies, which is how a statement best finds again what it has locked. What
another transaction has moved meanwhile is not found, and left for another look."""


def kept_lock(status: JobStatus) -> ColumnElement[Any]:
    """The unique key of a job that comes to *status*, as far as its scope goes."""
    scope = type_coerce(jobs.c.unique_scope, String)
    kept = jobs.c.unique_lock.is_not(None) & (func.strpos(scope, status.value) > 0)
    return case((kept, jobs.c.unique_lock))


def counted(changed: CTE, before: JobStatus | None, after: JobStatus) -> Insert:
    """The counts follow: the jobs of *changed* went from one status to another."""
    n = func.count()
    moved = [select(changed.c.queue, word(after), n).group_by(changed.c.queue)]
    if before is not None:
        moved.append(
            select(changed.c.queue, word(before), -n).group_by(changed.c.queue)
        )
    return insert(deltas).from_select(["queue", "status", "n"], union_all(*moved))
