"""Insert in one statement, where no job may be there already."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Select, Text, bindparam, func, select
from sqlalchemy import insert as insert_into

from jobcore import Inserted, Job, JobStatus, NewJob
from jobcore_sql.bulk import Names, pages, source
from jobcore_sql.columns import Texts
from jobcore_sql.records import word
from jobcore_sql.single.parts import NOW, counted
from jobcore_sql.tables import jobs
from jobcore_sql.transaction import Transaction

_GIVEN: Final = (
    "id",
    "task",
    "queue",
    "priority",
    "payload",
    "labels",
    "unique_scope",
    "limit_key",
    "limit",
    "max_retries",
    "timeout",
    "extra",
)
_values = attrgetter(*_GIVEN)


def insert(
    transaction: Transaction, new_jobs: Sequence[NewJob]
) -> list[Inserted] | None:
    """Store *new_jobs* that are due at once and have neither key nor labels."""
    distinct = {each.id for each in new_jobs}
    if len(distinct) < len(new_jobs) or not all(map(_is_plain, new_jobs)):
        return None
    ((clause, parameters),) = pages(
        transaction, _insert, _GIVEN, list(map(_values, new_jobs))
    )
    try:
        row = transaction.first(
            clause,
            **parameters,
            offset=transaction.offset,
            channel=transaction.dialect.channel,
            news=transaction.news({each.queue for each in new_jobs}),
        )
    except Exception as error:
        if transaction.dialect.is_taken(error):
            return None
        raise
    return [Inserted(Job.stored(new, row.now), created=True) for new in new_jobs]


def _is_plain(new: NewJob) -> bool:
    has_key = new.unique_key is not None
    return not (has_key or new.labels or new.due_at or new.delay)


@lru_cache(maxsize=1024)
def _insert(shared: Names, own: Names, size: int) -> Select[Any]:
    rows = source(jobs, shared, own, size).add_columns(
        word(JobStatus.QUEUED), NOW.label("created_at"), NOW.label("due_at")
    )
    names = [*shared, *own, "status", "created_at", "due_at"]
    stored = (
        insert_into(jobs).from_select(names, rows).returning(jobs.c.queue).cte("stored")
    )
    count = counted(stored, None, JobStatus.QUEUED).cte("counted")
    news = func.unnest(bindparam("news", type_=Texts)).table_valued("name", name="news")
    each = news.render_derived()
    channel = bindparam("channel", type_=Text)
    told = select(func.count(func.pg_notify(channel, each.c.name))).select_from(each)
    answer = select(NOW.label("now"), told.scalar_subquery())
    return answer.add_cte(stored, count)
