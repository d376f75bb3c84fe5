"""Ending claims, as nearly all writes do, without reading the jobs one by one.

Who holds the token may end its job for good whatever else is in the row. So a group of
such writes is judged by one count: when all rows have the token, all may be written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import String, bindparam, func, select, type_coerce, update

from jobcore import TERMINAL, JobStatus, Transition
from jobcore_sql.among import Among
from jobcore_sql.bulk import update_rows
from jobcore_sql.tables import jobs
from jobcore_sql.transaction import Moves, Transaction

_HELD = (
    select(jobs.c.queue, func.count(), func.count(jobs.c.unique_lock))
    .where(Among(jobs.c.id, "ids"), jobs.c.token == bindparam("by"))
    .group_by(jobs.c.queue)
)
_HELD_ON = _HELD.where(jobs.c.cancel_requested_at.is_(None))
_UNLOCK = (
    update(jobs)
    .where(
        Among(jobs.c.id, "ids"),
        ~type_coerce(jobs.c.unique_scope, String).contains(bindparam("ended_as")),
    )
    .values(unique_lock=None)
)


class _Kind(NamedTuple):
    """What the writes of a group have in common."""

    token: str | None
    status: JobStatus
    unless_requested: bool
    names: tuple[str, ...]


def end(transaction: Transaction, transitions: Sequence[Transition]) -> set[str]:
    """Make those of *transitions* that end a claim for good, group by group where all
    of it may be, and answer with the ids of their jobs."""
    groups = defaultdict[_Kind, list[Sequence[Any]]](list)
    times = Counter(each.job_id for each in transitions)
    for each in transitions:
        if ends_for_good(each) and times[each.job_id] == 1:
            fields = each.fields(transaction.now)
            fields["token"], fields["receipt"] = None, each.receipt
            unless_requested = each.expect.no_cancel_request
            kind = _Kind(each.token, each.status, unless_requested, tuple(fields))
            groups[kind].append((each.job_id, *fields.values()))
    ended, moves = set[str](), Moves()
    for kind, rows in groups.items():
        ids = [row[0] for row in rows]
        held = transaction.rows(
            _HELD_ON if kind.unless_requested else _HELD, ids=ids, by=kind.token
        )
        if sum(n for _, n, _ in held) < len(ids):
            continue
        update_rows(transaction, jobs, ("id", *kind.names), rows)
        if any(locked for _, _, locked in held):
            transaction.write(_UNLOCK, {"ids": ids, "ended_as": kind.status})
        for queue, n, _ in held:
            moves[queue, JobStatus.IN_PROGRESS, kind.status] += n
        ended.update(ids)
    transaction.count(moves)
    return ended


def ends_for_good(transition: Transition) -> bool:
    """Whether it is the current token alone that decides on *transition*, and nothing
    else of the job is to be known for what it makes of it."""
    expect = transition.expect
    return (
        transition.status in TERMINAL
        and expect.token is not None
        and expect.token == transition.token
        and expect.statuses is None
        and expect.generation is None
        and not expect.lease_expired
        and transition.is_blind
        and "queue" not in transition.changes
    )
