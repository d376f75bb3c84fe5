"""Insert: new jobs, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import select

from jobcore import Inserted, Job, NewJob
from jobcore_sql.among import Among
from jobcore_sql.bulk import insert_rows
from jobcore_sql.records import JOB, job, lock
from jobcore_sql.tables import jobs, labels
from jobcore_sql.transaction import Moves, Transaction

_BY_ID = select(*JOB).where(Among(jobs.c.id, "ids"))
_BY_LOCK = select(*JOB).where(
    Among(jobs.c.task, "tasks"), Among(jobs.c.unique_lock, "keys")
)

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
    "created_at",
    "due_at",
)
_values = itemgetter(*_STORED)


def insert(transaction: Transaction, new_jobs: Sequence[NewJob]) -> list[Inserted]:
    """Store *new_jobs*; what is there already is answered, in the batch as well."""
    answers: list[Inserted] = []
    created: list[Job] = []
    by_id, by_lock = _there(transaction, new_jobs)
    for new in new_jobs:
        there = by_id.get(new.id)
        if there is None and new.unique_key is not None:
            there = by_lock.get((new.task, new.unique_key))
        if there is not None:
            answers.append(Inserted(there, created=False))
            continue
        fresh = Job.stored(new, transaction.now)
        by_id[fresh.id] = fresh
        if key := lock(fresh.unique_key, fresh.unique_scope, fresh.status):
            by_lock[fresh.task, key] = fresh
        created.append(fresh)
        answers.append(Inserted(fresh, created=True))
    if created:
        _store(transaction, created)
    return answers


def _there(
    transaction: Transaction, new_jobs: Sequence[NewJob]
) -> tuple[dict[str, Job], dict[tuple[str, str], Job]]:
    by_id = [job(row) for row in transaction.rows(_BY_ID, ids=[n.id for n in new_jobs])]
    unique = [new for new in new_jobs if new.unique_key is not None]
    by_lock: list[Job] = []
    if unique:
        tasks = list({new.task for new in unique})
        keys = [new.unique_key for new in unique]
        by_lock = [
            job(row) for row in transaction.rows(_BY_LOCK, tasks=tasks, keys=keys)
        ]
    return (
        {each.id: each for each in by_id},
        {(each.task, each.unique_key or ""): each for each in by_lock},
    )


def _store(transaction: Transaction, created: Sequence[Job]) -> None:
    insert_rows(transaction, jobs, (*_STORED, "unique_lock"), list(map(_row, created)))
    named = [
        (each.id, name, value)
        for each in created
        for name, value in each.labels.items()
    ]
    if named:
        insert_rows(transaction, labels, ("job_id", "name", "value"), named)
    transaction.count(Moves((each.queue, None, each.status) for each in created))


def _row(new: Job) -> Sequence[Any]:
    return *_values(vars(new)), lock(new.unique_key, new.unique_scope, new.status)
