"""Fold: what transactions appended to the counts becomes part of them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import any_, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from jobcore_sql.queries import Queries
from jobcore_sql.single.parts import ctid
from jobcore_sql.tables import counts, deltas

FEW: Final = 1000
"""How many deltas may wait: each costs `statistics` less than a microsecond."""
_MANY: Final = 20_000

_ENOUGH = select(deltas.c.n).offset(FEW).limit(1)


def _fold() -> Any:
    some = (
        select(ctid).select_from(deltas).limit(_MANY).with_for_update(skip_locked=True)
    )
    taken = (
        delete(deltas)
        .where(any_(func.array(some.scalar_subquery())) == ctid)
        .returning(deltas)
        .cte("taken")
    )
    key = (taken.c.queue, taken.c.status)
    sums = select(*key, func.sum(taken.c.n)).group_by(*key).order_by(*key)
    folded = insert(counts).from_select(["queue", "status", "n"], sums)
    return folded.on_conflict_do_update(
        index_elements=counts.primary_key,
        set_={counts.c.n: counts.c.n + folded.excluded.n},
    )


_FOLD = _fold()


async def fold(queries: Queries) -> None:
    """Fold, if there is enough to make it worth while."""
    if await queries.first(_ENOUGH) is not None:
        await queries.write(_FOLD)
