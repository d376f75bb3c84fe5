"""Statistics: the counts as they are kept, and who has been queued for longest."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, select, union_all

from jobcore import JobStatus, QueueStatistics, Statistics
from jobcore_sql.records import IS_QUEUED
from jobcore_sql.tables import COUNTED, counts, deltas, jobs
from jobcore_sql.transaction import Transaction

_EACH = union_all(
    *(select(*(each.c[name] for name in COUNTED)) for each in (counts, deltas))
).subquery()
_N = cast(func.sum(_EACH.c.n), BigInteger)
COUNTS = (
    select(_EACH.c.queue, _EACH.c.status, _N).group_by(*_EACH.c[:2]).having(_N != 0)
)
"""How many jobs each queue has in each status, where it has any."""


def _least(column: Any, outer: Any, *conditions: ColumnElement[bool]) -> Any:
    """The least value of *column* in the queue of *outer* where *conditions* hold: the
    first in the index. MySQL would look for a minimum in all of the queue."""
    return (
        select(column)
        .where(IS_QUEUED, jobs.c.queue == outer.c.queue, *conditions)
        .order_by(column)
        .limit(1)
        .correlate(outer)
        .scalar_subquery()
    )


def _oldest() -> Select[tuple[str, datetime]]:
    """The earliest due time of each queue: the first entry of each of its priorities.
    It leaps from priority to priority, so the queued jobs between cost nothing."""
    priority = jobs.c.priority
    queues = COUNTS.where(_EACH.c.status == JobStatus.QUEUED).subquery()
    first = _least(priority, queues)
    levels = select(queues.c.queue, first.label("priority")).cte(
        "levels", recursive=True
    )
    following = _least(priority, levels, priority > levels.c.priority)
    levels = levels.union_all(
        select(levels.c.queue, following).where(levels.c.priority.is_not(None))
    )
    due_at = _least(jobs.c.due_at, levels, priority == levels.c.priority)
    return (
        select(levels.c.queue, func.min(due_at, type_=jobs.c.due_at.type))
        .where(levels.c.priority.is_not(None))
        .group_by(levels.c.queue)
    )


_OLDEST = _oldest()


def statistics(transaction: Transaction) -> Statistics:
    """The counts of the transaction's snapshot."""
    by_queue = defaultdict[str, dict[JobStatus, int]](dict)
    for queue, status, n in transaction.rows(COUNTS):
        by_queue[queue][status] = n
    oldest: dict[str, datetime] = dict(map(tuple, transaction.rows(_OLDEST)))
    return Statistics(
        {
            queue: QueueStatistics(by_status, oldest.get(queue))
            for queue, by_status in by_queue.items()
        }
    )
