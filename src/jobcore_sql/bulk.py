"""Writing many rows with one statement.

The rows of a batch are mostly alike. What all of them share is one parameter each; only
what differs is listed row by row, which costs a database a fraction of a statement per
row. Lists have few sizes, so that few statements serve batches of any length: what is
left over of a list is NULL, which is nobody's id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import chain, compress, zip_longest
from operator import not_
from typing import Any, Final

from sqlalchemy import CTE, Table, bindparam, column, insert, select, update, values
from sqlalchemy.sql import ClauseElement

from jobcore_sql.transaction import Transaction

_LONGEST: Final = 32
"""How many rows a statement lists at most: more would gain little."""

Names = tuple[str, ...]


def insert_rows(
    transaction: Transaction, table: Table, names: Names, rows: Sequence[Sequence[Any]]
) -> None:
    """Enter *rows*: values for *names*, of which the first is never None."""
    _write(transaction, _insert, table, names, rows)


def update_rows(
    transaction: Transaction, table: Table, names: Names, rows: Sequence[Sequence[Any]]
) -> None:
    """Find each of *rows* by the first of *names*, and set the others."""
    _write(transaction, _update, table, names, rows)


def _write(
    transaction: Transaction,
    kind: Callable[[Table, Names, Names, int], ClauseElement],
    table: Table,
    names: Names,
    rows: Sequence[Sequence[Any]],
) -> None:
    columns = list(zip(*rows, strict=True))
    differing = [values.count(values[0]) != len(rows) for values in columns[1:]]
    own = (True, *differing)
    common_names, own_names = _split(names, own)
    shared = {
        _shared(name): values[0]
        for name, values in zip(
            common_names, compress(columns, map(not_, own)), strict=True
        )
    }
    listed = list(zip(*compress(columns, own), strict=True))
    for start in range(0, len(listed), _LONGEST):
        page = listed[start : start + _LONGEST]
        size = 1 << (len(page) - 1).bit_length()
        clause = kind(table, common_names, own_names, size)
        parameters = zip_longest(_listed(own_names, size), chain.from_iterable(page))
        transaction.write(clause, {**shared, **dict(parameters)})


@lru_cache(maxsize=1024)
def _split(names: Names, own: tuple[bool, ...]) -> tuple[Names, Names]:
    """Those of *names* that are shared, and those that are not."""
    return tuple(compress(names, map(not_, own))), tuple(compress(names, own))


@lru_cache(maxsize=1024)
def _insert(table: Table, shared: Names, own: Names, size: int) -> ClauseElement:
    new = _list(table, own, size)
    common = [bindparam(_shared(name), type_=table.c[name].type) for name in shared]
    source = select(*common, *new.c).where(new.c[own[0]].is_not(None))
    return insert(table).from_select([*shared, *own], source)


@lru_cache(maxsize=1024)
def _update(table: Table, shared: Names, own: Names, size: int) -> ClauseElement:
    key, *others = own
    new = _list(table, own, size)
    return (
        update(table)
        .where(table.c[key] == new.c[key])
        .values({name: bindparam(_shared(name)) for name in shared})
        .values({name: new.c[name] for name in others})
    )


def _list(table: Table, own: Names, size: int) -> CTE:
    parameters = iter(_listed(own, size))
    rows = [
        tuple(bindparam(next(parameters), type_=table.c[name].type) for name in own)
        for _ in range(size)
    ]
    columns = (column(name, table.c[name].type) for name in own)
    return values(*columns, name="new").data(rows).cte("new")


@lru_cache(maxsize=1024)
def _listed(own: Names, size: int) -> Names:
    """What the parameters of a list are called, row by row."""
    return tuple(f"{name}_{place}" for place in range(size) for name in own)


@cache
def _shared(name: str) -> str:
    return f"new_{name}"
