"""INSERTs of a row whose key may be there already."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.sql import ClauseElement

Make = Callable[[Table], Any]
"""A dialect's INSERT."""


def row_of(make: Make, table: Table, names: Iterable[str]) -> Any:
    """An INSERT of the columns *names*."""
    return make(table).values(dict.fromkeys(names))


@cache
def upsert(make: Make, table: Table, names: tuple[str, ...]) -> ClauseElement:
    """An INSERT of the columns *names* that replaces them in what is there."""
    statement = row_of(make, table, names)
    keys = {each.name for each in table.primary_key}
    replaced = {name: statement.excluded[name] for name in names if name not in keys}
    replacing: ClauseElement = statement.on_conflict_do_update(
        index_elements=table.primary_key, set_=replaced
    )
    return replacing


@cache
def add_up(make: Make, table: Table) -> ClauseElement:
    """An INSERT of whole rows of *table*, whose n is added to that of what is there."""
    statement = row_of(make, table, table.columns.keys())
    adding: ClauseElement = statement.on_conflict_do_update(
        index_elements=table.primary_key,
        set_={"n": table.c.n + statement.excluded.n},
    )
    return adding


@cache
def insert_missing(make: Make, table: Table, names: tuple[str, ...]) -> ClauseElement:
    """An INSERT of the columns *names* that leaves what is there."""
    leaving: ClauseElement = row_of(make, table, names).on_conflict_do_nothing()
    return leaving
