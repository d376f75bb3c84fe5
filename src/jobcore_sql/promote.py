"""Promote: what was scheduled and is due becomes queued."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from jobcore import Promotion
from jobcore_sql.move import LIMIT, MOVED, requeue
from jobcore_sql.records import IS_SCHEDULED
from jobcore_sql.tables import jobs
from jobcore_sql.transaction import Transaction

_NEXT = select(jobs.c.due_at).where(IS_SCHEDULED).order_by(jobs.c.due_at).limit(1)
_DUE = (
    MOVED.where(IS_SCHEDULED, jobs.c.due_at <= bindparam("now"))
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)


def next_due_at(transaction: Transaction) -> datetime | None:
    """When the first scheduled job is due."""
    row = transaction.first(_NEXT)
    return None if row is None else row.due_at


def nothing_due(transaction: Transaction, limit: int) -> Promotion | None:
    """The answer where there is nothing to promote."""
    wait = _next_due_in(transaction)
    idle = limit <= 0 or wait is None or wait > timedelta(0)
    return Promotion(0, wait) if idle else None


def promote(transaction: Transaction, limit: int) -> Promotion:
    """Make up to *limit* due jobs queued."""
    rows = transaction.rows(_DUE, now=transaction.now, limit=limit)
    requeue(transaction, rows)
    return Promotion(len(rows), _next_due_in(transaction))


def _next_due_in(transaction: Transaction) -> timedelta | None:
    due_at = next_due_at(transaction)
    return None if due_at is None else max(due_at - transaction.now, timedelta(0))
