"""Verify: whether what is stored agrees with itself."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Select, and_, exists, func, or_, select

from jobcore import JobStatus, Verification
from jobcore_sql.counting import COUNTS
from jobcore_sql.records import lock
from jobcore_sql.tables import attempts, jobs, labels
from jobcore_sql.transaction import Transaction

_COUNTED = select(jobs.c.queue, jobs.c.status, func.count()).group_by(
    jobs.c.queue, jobs.c.status
)
_LOCKS = select(
    jobs.c.id,
    jobs.c.status,
    jobs.c.unique_key,
    jobs.c.unique_scope,
    jobs.c.unique_lock,
).where(jobs.c.unique_lock.is_not(None))
_JOB_LABELS = select(jobs.c.id, jobs.c.labels).where(jobs.c.labels != {})
_LABELS = select(labels.c.job_id, labels.c.name, labels.c.value)
_RUNNING = jobs.c.status == JobStatus.IN_PROGRESS
_ODD: dict[str, Select[tuple[str]]] = {
    "token": select(jobs.c.id).where(jobs.c.token.is_not(None) != _RUNNING),
    "lease": select(jobs.c.id).where(jobs.c.lease_until.is_not(None) != _RUNNING),
    "held_by": select(jobs.c.id).where(
        (jobs.c.status == JobStatus.HELD) != jobs.c.held_by.is_not(None)
    ),
    "attempt": select(jobs.c.id).where(
        or_(
            and_(_RUNNING, jobs.c.attempt == 0),
            (jobs.c.attempt == 0) != jobs.c.started_at.is_(None),
        )
    ),
    "attempts": select(attempts.c.job_id).where(
        ~exists().where(jobs.c.id == attempts.c.job_id)
    ),
}


def verify(transaction: Transaction) -> Verification:
    """Read everything and compare."""
    rules = {
        "counts": tuple(_counts(transaction)),
        "unique_key": tuple(_unique_keys(transaction)),
        "labels": tuple(_labels(transaction)),
        "database": transaction.dialect.damage(transaction.cursor),
    }
    for rule, statement in _ODD.items():
        found = transaction.rows(statement)
        rules[rule] = tuple(f"{rule} of job {row[0]} is wrong" for row in found)
    return Verification({rule: found for rule, found in rules.items() if found})


def _counts(transaction: Transaction) -> Iterator[str]:
    kept = {(queue, status): n for queue, status, n in transaction.rows(COUNTS)}
    counted = {(queue, status): n for queue, status, n in transaction.rows(_COUNTED)}
    for queue, status in sorted(kept.keys() | counted.keys()):
        n, truth = kept.get((queue, status), 0), counted.get((queue, status), 0)
        if n != truth:
            yield f"{n} jobs {status} in {queue} are counted, {truth} are there"


def _unique_keys(transaction: Transaction) -> Iterator[str]:
    for row in transaction.rows(_LOCKS):
        if row.unique_lock != lock(row.unique_key, row.unique_scope, row.status):
            yield f"job {row.id} holds {row.unique_lock!r} while {row.status}"


def _labels(transaction: Transaction) -> Iterator[str]:
    carried = {
        (row.id, name, value)
        for row in transaction.rows(_JOB_LABELS)
        for name, value in row.labels.items()
    }
    found = {tuple(row) for row in transaction.rows(_LABELS)}
    for job_id, name, _ in sorted(carried ^ found):
        yield f"label {name!r} of job {job_id} is not found as it is carried"
