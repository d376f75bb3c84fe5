"""Which workers live, and whose turn a duty is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy import delete as delete_from

from jobcore import WorkerRecord
from jobcore_sql.tables import duties, workers
from jobcore_sql.transaction import Transaction

_ALIVE = (
    select(workers)
    .where(workers.c.expires_at > bindparam("now"))
    .order_by(workers.c.id)
)
_FORGET = delete_from(workers).where(workers.c.expires_at <= bindparam("now"))
_GONE = delete_from(workers).where(workers.c.id == bindparam("worker_id"))
_DUTY = select(duties.c.due_at).where(duties.c.name == bindparam("name"))
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_LOCK = _DUTY.with_for_update()
_TAKE = (
    update(duties)
    .where(duties.c.name == bindparam("duty"))
    .values(due_at=bindparam("until"))
)


def seen(transaction: Transaction, worker: WorkerRecord, expires_in: timedelta) -> None:
    """Enter *worker*, and forget those who did not return."""
    now = transaction.now
    transaction.write(_FORGET, {"now": now})
    row = {
        "id": worker.id,
        "queues": worker.queues,
        "tasks": worker.tasks,
        "concurrency": worker.concurrency,
        "version": worker.version,
        "seen_at": now,
        "expires_at": now + expires_in,
    }
    transaction.upsert(workers, row)


def gone(transaction: Transaction, worker_id: str) -> None:
    """Strike out a worker."""
    transaction.write(_GONE, {"worker_id": worker_id})


def alive(transaction: Transaction) -> list[WorkerRecord]:
    """The workers that live now, by id."""
    return [
        WorkerRecord(
            id=row.id,
            queues=tuple(row.queues),
            tasks=tuple(row.tasks),
            concurrency=row.concurrency,
            version=row.version,
            seen_at=row.seen_at,
        )
        for row in transaction.rows(_ALIVE, now=transaction.now)
    ]


def not_due(transaction: Transaction, duty: str, interval: timedelta) -> bool | None:
    """The answer where *duty* is not due yet. What is due later than in one interval
    was taken before the clock was set back, and is due now."""
    row, now = transaction.first(_DUTY, name=duty), transaction.now
    return None if row is None or not now < row.due_at <= now + interval else False


def turn(transaction: Transaction, duty: str, interval: timedelta) -> bool:
    """Take *duty* for *interval*, if it is due."""
    transaction.add(duties, [{"name": duty, "due_at": _LONG_AGO}])
    due_at, now = transaction.first(_LOCK, name=duty).due_at, transaction.now
    if now < due_at <= now + interval:
        return False
    transaction.write(_TAKE, {"duty": duty, "until": now + interval})
    return True
