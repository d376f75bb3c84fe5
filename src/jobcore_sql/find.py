"""Finding jobs: by id, page by page, and those to delete."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    exists,
    func,
    select,
    type_coerce,
)
from sqlalchemy import delete as delete_from

from jobcore import TERMINAL, Attempt, Filter, Job, Page
from jobcore_sql.among import Among
from jobcore_sql.records import IS_IN_PROGRESS, JOB, job
from jobcore_sql.tables import attempts, jobs, labels
from jobcore_sql.transaction import Moves, Transaction

WINDOW: Final = 10_000
"""How many jobs a page of `find` looks at, whether they match or not."""

_BY_ID = select(*JOB).where(Among(jobs.c.id, "ids"))
_ATTEMPTS = (
    select(attempts)
    .where(Among(attempts.c.job_id, "ids"))
    .order_by(attempts.c.job_id, attempts.c.number)
)
_DELETED = (jobs.c.id, jobs.c.queue, jobs.c.status, jobs.c.finished_at)
_DELETE = (
    delete_from(attempts).where(Among(attempts.c.job_id, "ids")),
    delete_from(labels).where(Among(labels.c.job_id, "ids")),
    delete_from(jobs).where(Among(jobs.c.id, "ids")),
)


def get(
    transaction: Transaction, ids: Sequence[str], *, with_attempts: bool
) -> list[Job | None]:
    """The jobs *ids*, in that order."""
    found = {row.id: job(row) for row in transaction.rows(_BY_ID, ids=ids)}
    if with_attempts:
        filed = defaultdict[str, tuple[Attempt, ...]](tuple)
        for row in transaction.rows(_ATTEMPTS, ids=list(found)):
            facts = row._asdict()
            filed[facts.pop("job_id")] += (Attempt(**facts),)
        found = {name: each.with_attempts(filed[name]) for name, each in found.items()}
    return [found.get(each) for each in ids]


def find(
    transaction: Transaction, wanted: Filter, cursor: str | None, limit: int
) -> Page:
    """A page of jobs that *wanted* asks for, after *cursor*. It looks at `WINDOW` jobs,
    or at so many that have the first of the labels, and says where it stopped."""
    source = _source(wanted)
    if cursor is not None:
        source = source.where(_key(source) < cursor)
    window = source.order_by(_key(source).desc()).limit(WINDOW).subquery()
    size, lowest = transaction.query(select(func.count(), func.min(window.c[0])))[0]
    if not size:
        return Page()
    query = select(*JOB).where(
        jobs.c.id >= lowest, *_conditions(wanted, transaction.now)
    )
    if cursor is not None:
        query = query.where(jobs.c.id < cursor)
    rows = transaction.query(query.order_by(jobs.c.id.desc()).limit(limit))
    found = tuple(job(row) for row in rows)
    if len(found) == limit:
        return Page(found, found[-1].id if found else cursor)
    return Page(found, lowest if size == WINDOW else None)


@dataclass(frozen=True, slots=True)
class Deletion:
    """How many jobs were deleted, and when the last of them had finished."""

    count: int = 0
    until: datetime | None = None


def select_deleted(
    transaction: Transaction, wanted: Filter, limit: int, since: datetime | None
) -> Sequence[Row[Any]]:
    """Which jobs `delete` would take, the oldest first."""
    conditions = [*_conditions(wanted, transaction.now), ~IS_IN_PROGRESS]
    query = select(*_DELETED).limit(limit).with_for_update(skip_locked=True)
    if wanted.finished_for is None:
        return transaction.query(query.where(*conditions).order_by(jobs.c.id))
    oldest = query.order_by(jobs.c.finished_at, jobs.c.id)
    if since is not None:
        oldest = oldest.where(jobs.c.finished_at >= since)
    statuses = sorted(TERMINAL & (wanted.statuses or TERMINAL))
    # One index range per status, so that none has to be sorted.
    by_status = [
        transaction.query(oldest.where(jobs.c.status == status, *conditions))
        for status in statuses
    ]
    merged = heapq.merge(*by_status, key=lambda row: (row.finished_at, row.id))
    return [row for row, _ in zip(merged, range(limit), strict=False)]


def nothing_to_delete(
    transaction: Transaction,
    wanted: Filter,
    limit: int,  # noqa: ARG001 - asked like `delete`
    since: datetime | None,
) -> Deletion | None:
    """The answer where nothing matches."""
    return None if select_deleted(transaction, wanted, 1, since) else Deletion()


def delete(
    transaction: Transaction, wanted: Filter, limit: int, since: datetime | None
) -> Deletion:
    """Delete jobs with all that belongs to them; where their age is asked, of those
    that finished *since*."""
    rows = select_deleted(transaction, wanted, limit, since)
    ids = [row.id for row in rows]
    for statement in _DELETE:
        transaction.write(statement, {"ids": ids})
    transaction.count(Moves((row.queue, row.status, None) for row in rows))
    return Deletion(len(rows), rows[-1].finished_at) if rows else Deletion()


def _source(wanted: Filter) -> Select[tuple[str]]:
    """The ids, by which a page is bounded, of all that may match."""
    if wanted.ids is not None:
        return select(jobs.c.id).where(Among(jobs.c.id, "ids", wanted.ids))
    for name, value in wanted.labels.items():
        return select(labels.c.job_id).where(
            labels.c.name == name, labels.c.value == value
        )
    return select(jobs.c.id)


def _key(source: Select[tuple[str]]) -> ColumnElement[str]:
    return source.selected_columns[0]


def _conditions(wanted: Filter, now: datetime) -> Iterator[ColumnElement[bool]]:
    if wanted.ids is not None:
        yield Among(jobs.c.id, "ids", wanted.ids)
    if wanted.statuses is not None:
        statuses = [each.value for each in sorted(wanted.statuses)]
        yield Among(type_coerce(jobs.c.status, String), "statuses", statuses)
    if wanted.queue is not None:
        yield jobs.c.queue == wanted.queue
    if wanted.task is not None:
        yield jobs.c.task == wanted.task
    for name, value in wanted.labels.items():
        yield exists().where(
            labels.c.name == name,
            labels.c.value == value,
            labels.c.job_id == jobs.c.id,
        )
    if wanted.due or wanted.due_for is not None:
        yield jobs.c.due_at <= now - (wanted.due_for or timedelta(0))
    if wanted.finished_for is not None:
        yield jobs.c.finished_at <= now - wanted.finished_for
