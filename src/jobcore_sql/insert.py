"""Insert: new jobs, all or none."""

from __future__ import annotations

from collections.abc import Sequence, Set
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from jobcore import Inserted, Job, NewJob
from jobcore_sql.among import Among
from jobcore_sql.bulk import insert_new_rows, insert_rows
from jobcore_sql.records import JOB, job, lock
from jobcore_sql.tables import jobs, labels
from jobcore_sql.transaction import Moves, Transaction


class _Look(NamedTuple):
    """How jobs are found that are there already."""

    by_id: Select[Any]
    by_lock: Select[Any]


_LOOK = _Look(
    select(*JOB).where(Among(jobs.c.id, "ids")),
    select(*JOB).where(Among(jobs.c.task, "tasks"), Among(jobs.c.unique_lock, "keys")),
)
_CLOSER_LOOK = _Look(*(each.with_for_update(read=True) for each in _LOOK))
"""A transaction of the host's may see nothing that is newer than its first look, but
where it locks that."""

_STORED = (
    "id",
    "task",
    "queue",
    "priority",
    "payload",
    "labels",
    "unique_key",
    "unique_scope",
    "limit_key",
    "limit",
    "max_retries",
    "timeout",
    "extra",
    "status",
    "held_by",
    "created_at",
    "due_at",
)
_values = itemgetter(*_STORED)


def insert(transaction: Transaction, new_jobs: Sequence[NewJob]) -> list[Inserted]:
    """Store *new_jobs*; what is there already is answered, in the batch as well."""
    created: set[str] = set()
    look = _LOOK
    while True:
        answers, fresh = _judge(transaction, new_jobs, created, look)
        entered = _store(transaction, fresh) if fresh else set[str]()
        if len(entered) == len(fresh):
            return answers
        created |= entered
        look = _CLOSER_LOOK  # at what another transaction stored meanwhile


def _judge(
    transaction: Transaction,
    new_jobs: Sequence[NewJob],
    created: Set[str],
    look: _Look,
) -> tuple[list[Inserted], list[Job]]:
    """What is to be answered, where this call has *created* some ids already, and
    which jobs are still to be stored for that."""
    answers: list[Inserted] = []
    ours = set(created)
    fresh: list[Job] = []
    by_id, by_lock = _there(transaction, new_jobs, look)
    for new in new_jobs:
        there = by_id.get(new.id)
        if there is None and new.unique_key is not None:
            there = by_lock.get((new.task, new.unique_key))
        if there is not None:
            answers.append(Inserted(there, created=there.id in ours))
            ours.discard(there.id)
            continue
        job = Job.stored(new, transaction.now)
        by_id[job.id] = job
        if key := lock(job.unique_key, job.unique_scope, job.status):
            by_lock[job.task, key] = job
        fresh.append(job)
        answers.append(Inserted(job, created=True))
    return answers, fresh


def _there(
    transaction: Transaction, new_jobs: Sequence[NewJob], look: _Look
) -> tuple[dict[str, Job], dict[tuple[str, str], Job]]:
    ids = [each.id for each in new_jobs]
    by_id = [job(row) for row in transaction.rows(look.by_id, ids=ids)]
    unique = [new for new in new_jobs if new.unique_key is not None]
    by_lock: list[Job] = []
    if unique:
        tasks = list({new.task for new in unique})
        keys = [new.unique_key for new in unique]
        by_lock = [
            job(row) for row in transaction.rows(look.by_lock, tasks=tasks, keys=keys)
        ]
    return (
        {each.id: each for each in by_id},
        {(each.task, each.unique_key or ""): each for each in by_lock},
    )


def _store(transaction: Transaction, fresh: Sequence[Job]) -> Set[str]:
    """Store those of *fresh* whose keys nobody has by now; their ids."""
    # All transactions take keys in one order, as each may wait for another's.
    rows = [_row(each) for each in sorted(fresh, key=_key)]
    names = (*_STORED, "unique_lock")
    entered: Set[str] = {each.id for each in fresh}
    if transaction.dialect.has_one_writer:
        insert_rows(transaction, jobs, names, rows)
    else:
        entered = insert_new_rows(transaction, jobs, names, rows)
    created = [each for each in fresh if each.id in entered]
    named = [
        (each.id, name, value)
        for each in created
        for name, value in each.labels.items()
    ]
    if named:
        insert_rows(transaction, labels, ("job_id", "name", "value"), named)
    transaction.count(Moves((each.queue, None, each.status) for each in created))
    return entered


def _row(new: Job) -> Sequence[Any]:
    return *_values(vars(new)), lock(new.unique_key, new.unique_scope, new.status)


def _key(new: Job) -> tuple[str, ...]:
    return new.task, new.unique_key or "", new.id
