"""Insert in one statement, where no id or unique key is there already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Insert,
    Interval,
    MetaData,
    Select,
    String,
    Table,
    Text,
    bindparam,
    case,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import insert as insert_into

from jobcore import Inserted, Job, JobStatus, NewJob
from jobcore_sql.bulk import ANY_LENGTH, Names, list_name, listed, pages, source
from jobcore_sql.dialects import StoreDialect
from jobcore_sql.lists import ArrayText
from jobcore_sql.queries import Queries
from jobcore_sql.records import word
from jobcore_sql.single.parts import NOW
from jobcore_sql.tables import deltas, jobs, labels

_GIVEN: Final = (
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
    "due_at",
    "delay",
)
_GIVEN_HELD: Final = (*_GIVEN, "held_by")
_values: Final = {names: attrgetter(*names) for names in (_GIVEN, _GIVEN_HELD)}
_key = attrgetter("task", "unique_key")

_new_jobs: Final = Table(
    "new_jobs",
    MetaData(),
    *(Column(each, jobs.c[each].type) for each in _GIVEN_HELD if each != "delay"),
    Column("delay", Interval),
)
"""What is known of jobs before they are stored."""
_LABELS: Final = ("job_id", "name", "value")


async def insert(queries: Queries, new_jobs: Sequence[NewJob]) -> list[Inserted] | None:
    """Store *new_jobs*, if all of them are new."""
    if len(new_jobs) > 1 and len({each.id for each in new_jobs}) < len(new_jobs):
        return None
    clause, parameters = statement(
        queries.dialect, queries.offset, new_jobs, leaves_taken=False
    )
    # What fails as a whole must not have been told, and a key may be taken.
    is_sure = all(each.unique_key is None for each in new_jobs)
    queues = {each.queue for each in new_jobs if is_due(each)}
    news = queries.news(queues) if is_sure and queues else ()
    try:
        row = await queries.first(clause, **parameters, news=news)
    except Exception as error:
        if queries.dialect.is_taken(error):
            return None
        raise
    return [Inserted(job, created=True) for job in Job.stored_all(new_jobs, row.now)]


def is_due(new: NewJob) -> bool:
    """Whether a job is surely queued at once."""
    return new.due_at is None and not new.delay and new.held_by is None


def statement(
    dialect: StoreDialect,
    offset: timedelta,
    new_jobs: Sequence[NewJob],
    *,
    leaves_taken: bool,
) -> tuple[Select[Any], dict[str, Any]]:
    """The INSERT of *new_jobs* with its parameters, but for `news`. It leaves out those
    whose id or unique key is there and answers the ids of the others, or it fails."""
    named: list[tuple[str, str, str]] = []
    is_keyed = is_held = False
    for new in new_jobs:
        is_keyed |= new.unique_key is not None
        is_held |= new.held_by is not None
        if new.labels:
            named += ((new.id, *label) for label in new.labels.items())
    if is_keyed:
        # Whoever takes several keys takes them in the same order.
        plain = [each for each in new_jobs if each.unique_key is None]
        keyed = [each for each in new_jobs if each.unique_key is not None]
        new_jobs = plain + sorted(keyed, key=_key)
    build = partial(_insert, bool(named), leaves_taken)
    names = _GIVEN_HELD if is_held else _GIVEN
    rows = list(map(_values[names], new_jobs))
    ((clause, parameters),) = pages(dialect, build, names, rows)
    if named:
        columns = zip(*named, strict=True)
        parameters |= zip(map(list_name, _LABELS), columns, strict=True)
    return clause, {**parameters, "offset": offset, "channel": dialect.channel}


@lru_cache(maxsize=1024)
def _insert(
    has_labels: bool,  # noqa: FBT001 - the part of a key
    leaves_taken: bool,  # noqa: FBT001 - likewise
    shared: Names,
    own: Names,
    size: int,
) -> Select[Any]:
    stored = _stored(shared, own, size, leaves_taken=leaves_taken).cte("stored")
    n = func.count()
    place = (stored.c.queue, stored.c.status)
    counted = insert_into(deltas).from_select(
        ["queue", "status", "n"], select(*place, n).group_by(*place)
    )
    answer = select(stored.c.id) if leaves_taken else select(NOW.label("now"))
    answer = answer.add_columns(_told()).add_cte(stored, counted.cte("counted"))
    return answer.add_cte(_labeled(stored).cte("labeled")) if has_labels else answer


def _stored(shared: Names, own: Names, size: int, *, leaves_taken: bool) -> Any:
    new = source(_new_jobs, shared, own, size).subquery("given")
    due_at = func.coalesce(new.c.due_at, NOW + new.c.delay, NOW)
    is_later = due_at > NOW
    status = case((is_later, word(JobStatus.SCHEDULED)), else_=word(JobStatus.QUEUED))
    if "held_by" in new.c:
        is_held = new.c.held_by.is_not(None)
        status = case((is_held, word(JobStatus.HELD)), else_=status)
    columns = {
        **{name: each for name, each in new.c.items() if name != "delay"},
        "due_at": due_at,
        "created_at": NOW,
        "status": status,
        "unique_lock": _lock(new.c, status),
    }
    stored = insert_into(jobs).from_select(list(columns), select(*columns.values()))
    if leaves_taken:
        stored = stored.on_conflict_do_nothing()
    return stored.returning(jobs.c.id, jobs.c.queue, jobs.c.status)


def _lock(new: Any, status: ColumnElement[Any]) -> ColumnElement[Any]:
    """The unique key that a new job holds."""
    held = func.strpos(type_coerce(new.unique_scope, String), status) > 0
    return case((held, new.unique_key))


def _labeled(stored: CTE) -> Insert:
    new = listed(labels, _LABELS, ANY_LENGTH)
    rows = select(*new.c).join_from(new, stored, new.c.job_id == stored.c.id)
    return insert_into(labels).from_select(_LABELS, rows)


def _told() -> ColumnElement[Any]:
    news = func.unnest(bindparam("news", type_=ArrayText(Text())))
    each = news.table_valued("name", name="news").render_derived()
    notify = func.pg_notify(bindparam("channel", type_=Text), each.c.name)
    return select(func.count(notify)).select_from(each).scalar_subquery()
