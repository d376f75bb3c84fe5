"""Ending claims in one statement, where all of them are held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, bindparam, func, select, update

from jobcore import Answer, JobStatus, Transition
from jobcore_sql.bulk import Names, listed, pages, shared_name
from jobcore_sql.ending import ends_for_good
from jobcore_sql.queries import Queries
from jobcore_sql.single.parts import NOW, counted, ctid, kept_lock
from jobcore_sql.tables import jobs

_TRIES: Final = 2
"""A claim of another worker may just have looked at a row that was queued when its
statement began, and has it locked for as long as that takes."""

_NOW: Final = datetime.max.replace(tzinfo=UTC)
"""Stands for the store's clock, which only the statement reads."""


class _Kind(NamedTuple):
    """What the writes of a group have in common."""

    status: JobStatus
    unless_requested: bool
    names: Names


async def end(
    queries: Queries, transitions: Sequence[Transition]
) -> list[Answer] | None:
    """Make *transitions*, if each ends a claim for good. What is written of a group
    that does not end as a whole is known again by its receipts."""
    distinct = {each.job_id for each in transitions}
    if len(distinct) < len(transitions) or not all(map(ends_for_good, transitions)):
        return None
    groups = defaultdict[_Kind, list[Sequence[Any]]](list)
    for each in transitions:
        fields = each.fields(_NOW)
        if (
            fields.pop("finished_at") is not _NOW
            or fields.pop("ended_at", None) is not _NOW
        ):
            return None
        kind = _Kind(each.status, each.expect.no_cancel_request, tuple(fields))
        row = (each.job_id, each.token, each.receipt, *fields.values())
        groups[kind].append(row)
    ended = 0
    for kind, rows in groups.items():
        names = ("id", "token", "receipt", *kind.names)
        statement = partial(_end, kind.status, kind.unless_requested)
        ((clause, parameters),) = pages(queries.dialect, statement, names, rows)
        left = len(rows)
        for _ in range(_TRIES):
            row = await queries.first(clause, **parameters, offset=queries.offset)
            left -= row.ended
            if not left:
                break
        ended += len(rows) - left
    return [Answer.APPLIED] * ended if ended == len(transitions) else None


@lru_cache(maxsize=1024)
def _end(
    status: JobStatus,
    unless_requested: bool,  # noqa: FBT001 - the part of a key
    shared: Names,
    own: Names,
    size: int,
) -> Select[Any]:
    new = listed(jobs, own, size)
    common = {
        name: bindparam(shared_name(name), type_=jobs.c[name].type) for name in shared
    }
    token = common.pop("token") if "token" in common else new.c.token
    others = [name for name in own if name not in {"id", "token"}]
    held = (
        select(ctid.label("place"), *(new.c[name] for name in others))
        .where(jobs.c.id == new.c.id, jobs.c.token == token)
        .order_by(jobs.c.id)
        .with_for_update(of=jobs, skip_locked=True)
    )
    if unless_requested:
        held = held.where(jobs.c.cancel_requested_at.is_(None))
    found = held.cte("held")
    ended = (
        update(jobs)
        .where(ctid == found.c.place)
        .values({**common, **{name: found.c[name] for name in others}})
        .values(
            finished_at=NOW, ended_at=NOW, token=None, unique_lock=kept_lock(status)
        )
        .returning(jobs.c.queue)
        .cte("ended")
    )
    count = counted(ended, JobStatus.IN_PROGRESS, status).cte("counted")
    return select(func.count().label("ended")).select_from(ended).add_cte(count)
