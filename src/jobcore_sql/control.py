"""Pausing, limits, and lifting what they hold."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy import delete as delete_from

from jobcore import Limit
from jobcore_sql.gate import Gate
from jobcore_sql.move import LIMIT, MOVED, requeue
from jobcore_sql.records import IS_HELD
from jobcore_sql.tables import jobs, limits, pauses
from jobcore_sql.transaction import Transaction

_RESUME = delete_from(pauses).where(
    pauses.c.kind == bindparam("of"), pauses.c.name == bindparam("called")
)
_IS_LIFTED = or_(  # not what waits for approval, of which there may be many
    *(
        and_(jobs.c.held_by >= f"{kind}:", jobs.c.held_by < f"{kind};")
        for kind in ("limit", "task")
    )
)
_ANY_HELD = select(jobs.c.id).where(IS_HELD, _IS_LIFTED).limit(1)
_HELD = (
    MOVED.add_columns(jobs.c.limit)
    .where(IS_HELD, jobs.c.held_by == bindparam("holder"))
    .order_by(jobs.c.priority, jobs.c.due_at, jobs.c.id)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)
_NEXT_HOLDER = select(func.min(jobs.c.held_by)).where(
    IS_HELD, jobs.c.held_by > bindparam("last")
)


def pause(transaction: Transaction, names: dict[str, str]) -> None:
    """Pause what *names* tells by its kind."""
    rows = [{"kind": kind, "name": name} for kind, name in names.items()]
    transaction.add(pauses, rows)


def resume(transaction: Transaction, names: dict[str, str]) -> None:
    """End those pauses."""
    rows = [{"of": kind, "called": name} for kind, name in names.items()]
    if rows:
        transaction.write(_RESUME, *rows)


def limit(transaction: Transaction, key: str, figures: Limit | None) -> None:
    """Let *figures* stand for *key*, and its pace go on."""
    transaction.upsert(limits, {"key": key, "figures": figures})


def nothing_held(
    transaction: Transaction,
    holders: Sequence[str] | None,  # noqa: ARG001 - asked like `lift`
    at_most: int,  # noqa: ARG001 - likewise
) -> int | None:
    """The answer where no job is held."""
    return 0 if transaction.first(_ANY_HELD) is None else None


def lift(transaction: Transaction, holders: Sequence[str] | None, at_most: int) -> int:
    """Make held jobs queued, of each holder no more than may start now."""
    gate, lifted = Gate(transaction), 0
    named = _holders(transaction) if holders is None else dict.fromkeys(holders)
    for holder in named:
        lifted += _lift(transaction, gate, holder, at_most - lifted)
    return lifted


def _lift(transaction: Transaction, gate: Gate, holder: str, at_most: int) -> int:
    kind, _, name = holder.partition(":")
    if kind not in {"task", "limit"}:
        return 0
    if kind == "task" and name in gate.paused.tasks:
        return 0
    first = transaction.first(_HELD, holder=holder, limit=1)
    if first is None:
        return 0
    free = at_most
    if kind == "limit":
        gate.learn([name])
        places = gate.places(name, first.limit)
        free = at_most if places is None else min(places, at_most)
    rows = transaction.rows(_HELD, holder=holder, limit=free) if free > 0 else []
    requeue(transaction, rows)
    return len(rows)


def _holders(transaction: Transaction) -> list[str]:
    found, last = [], ""
    while (row := transaction.first(_NEXT_HOLDER, last=last)) and row[0] is not None:
        last = row[0]
        found.append(last)
    return found
