"""Moving jobs that wait from one status to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Row, Select, bindparam, select, update

from jobcore import JobStatus
from jobcore_sql.among import Among
from jobcore_sql.tables import jobs
from jobcore_sql.transaction import Moves, Transaction

MOVED: Select[Any] = select(
    jobs.c.id, jobs.c.queue, jobs.c.status, jobs.c.unique_lock, jobs.c.unique_scope
)
"""What `requeue` must know of a job."""

_REQUEUE = (
    update(jobs)
    .where(Among(jobs.c.id, "ids"))
    .values(status=JobStatus.QUEUED, held_by=None)
)
_UNLOCK = update(jobs).where(Among(jobs.c.id, "ids")).values(unique_lock=None)
LIMIT: BindParameter[int] = bindparam("limit")


def requeue(transaction: Transaction, rows: Sequence[Row[Any]]) -> None:
    """Make the jobs of *rows* `queued`."""
    if not rows:
        return
    transaction.write(_REQUEUE, {"ids": [row.id for row in rows]})
    unlock(
        transaction,
        [
            row.id
            for row in rows
            if row.unique_lock is not None and JobStatus.QUEUED not in row.unique_scope
        ],
    )
    transaction.count(Moves((row.queue, row.status, JobStatus.QUEUED) for row in rows))


def unlock(transaction: Transaction, ids: Sequence[str]) -> None:
    """Free the unique keys of the jobs *ids*."""
    if ids:
        transaction.write(_UNLOCK, {"ids": ids})
