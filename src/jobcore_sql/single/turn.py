"""Giving out a turn in one statement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Interval, bindparam, func, or_, type_coerce
from sqlalchemy.dialects.postgresql import insert

from jobcore_sql.columns import Instant
from jobcore_sql.queries import Queries
from jobcore_sql.single.parts import NOW
from jobcore_sql.tables import duties

_OFFSET: Final = bindparam("offset", type_=Interval)
_INTERVAL: Final = bindparam("interval", type_=Interval)
_AT_LAST: Final[ColumnElement[Any]] = type_coerce(
    func.clock_timestamp() + _OFFSET, Instant
)
"""The clock after the statement got its lock. By the time when it came in, a turn that
was taken since would lie too far ahead."""


def _turn() -> Any:
    name = bindparam("name", type_=duties.c.name.type)
    taken = insert(duties).values(name=name, due_at=NOW + _INTERVAL)
    due_at = duties.c.due_at
    return taken.on_conflict_do_update(
        index_elements=duties.primary_key,
        set_={"due_at": taken.excluded.due_at},
        where=or_(due_at <= _AT_LAST, due_at > _AT_LAST + _INTERVAL),
    ).returning(duties.c.name)


_TURN = _turn()


async def turn(queries: Queries, duty: str, interval: timedelta) -> bool:
    """Take *duty* for *interval*, if it is due."""
    offset = queries.offset
    taken = await queries.first(_TURN, name=duty, interval=interval, offset=offset)
    return taken is not None
