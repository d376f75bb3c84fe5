"""Writing many rows with one statement.

The rows of a batch are mostly alike. What all of them share is one parameter each; only
what differs is listed row by row, which costs a database a fraction of a statement per
row. Lists have few sizes, so that few statements serve batches of any length: what is
left over of a list is NULL, which is nobody's id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache, partial
from itertools import chain, compress, zip_longest
from operator import not_
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import (
    FromClause,
    Insert,
    LargeBinary,
    Select,
    String,
    Table,
    bindparam,
    column,
    func,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeEngine

from jobcore_sql.dialects import StoreDialect
from jobcore_sql.lists import Array, ArrayBytes, ArrayText
from jobcore_sql.transaction import Transaction
from jobcore_sql.utf8 import Worded

_LONGEST: Final = 32
"""How many rows a statement lists at most: more would gain little."""

Names = tuple[str, ...]
C = TypeVar("C", bound=ClauseElement)

ANY_LENGTH: Final = 0
"""The length of a list that is passed as arrays, one for each column."""
WITH_GAPS: Final = -1
"""The same, where some values are None, or bytes are too many to be written as text."""
_MANY_BYTES: Final = 2**20
"""Beyond, writing them as text takes longer than the driver takes over a list."""


def insert_rows(
    transaction: Transaction, table: Table, names: Names, rows: Sequence[Sequence[Any]]
) -> None:
    """Enter *rows*: values for *names*, of which the first is never None."""
    statement = partial(_insert, table)
    for clause, parameters in pages(transaction.dialect, statement, names, rows):
        transaction.write(clause, parameters)


def insert_new_rows(
    transaction: Transaction, table: Table, names: Names, rows: Sequence[Sequence[Any]]
) -> set[Any]:
    """Enter those of *rows* whose keys nobody has, and answer with the first value of
    each. Keys in somebody's open transaction are waited for. Where a statement cannot
    say which it entered, none of a page is that has a key which somebody has."""
    entered = set[Any]()
    dialect = transaction.dialect
    if dialect.has_arrays:
        statement = partial(_insert_new, transaction.dialect.insert, table)
        for clause, parameters in pages(dialect, statement, names, rows):
            entered.update(value for (value,) in transaction.rows(clause, **parameters))
        return entered
    for start in range(0, len(rows), _LONGEST):
        page = rows[start : start + _LONGEST]
        try:
            insert_rows(transaction, table, names, page)
        except Exception as error:
            if not dialect.is_taken(error):
                raise
        else:
            entered.update(first for first, *_ in page)
    return entered


def update_rows(
    transaction: Transaction, table: Table, names: Names, rows: Sequence[Sequence[Any]]
) -> None:
    """Find each of *rows* by the first of *names*, and set the others."""
    statement = partial(_update, table)
    for clause, parameters in pages(transaction.dialect, statement, names, rows):
        transaction.write(clause, parameters)


def pages(
    dialect: StoreDialect,
    statement: Callable[[Names, Names, int], C],
    names: Names,
    rows: Sequence[Sequence[Any]],
) -> Iterator[tuple[C, dict[str, Any]]]:
    """A *statement* with its parameters for each page of *rows*, which have values for
    *names*. It is made of the names whose value all rows share, of those that are
    listed, always with the first, and of the length of the list: that of a page, or for
    arrays `ANY_LENGTH` or `WITH_GAPS`."""
    if len(rows) == 1:
        clause = statement(names[1:], names[:1], 1)
        yield clause, dict(zip(_lone(names), rows[0], strict=True))
        return
    columns = list(zip(*rows, strict=True))
    alike = [values.count(values[0]) == len(rows) for values in columns[1:]]
    split = _split(names, (False, *alike))
    shared = dict(
        zip(split.shared_names, compress(rows[0], split.is_shared), strict=True)
    )
    if dialect.has_arrays:
        lists = dict(
            zip(split.list_names, compress(columns, split.is_own), strict=True)
        )
        size = WITH_GAPS if any(map(_goes_as_it_is, lists.values())) else ANY_LENGTH
        yield statement(split.shared, split.own, size), shared | lists
        return
    listed = list(zip(*compress(columns, split.is_own), strict=True))
    for start in range(0, len(listed), _LONGEST):
        page = listed[start : start + _LONGEST]
        size = 1 << (len(page) - 1).bit_length()
        clause = statement(split.shared, split.own, size)
        parameters = zip_longest(_cells(split.own, size), chain.from_iterable(page))
        yield clause, {**shared, **dict(parameters)}


def _goes_as_it_is(values: Sequence[Any]) -> bool:
    if None in values:
        return True
    return isinstance(values[0], bytes) and sum(map(len, values)) > _MANY_BYTES


class _Split(NamedTuple):
    """The names of columns whose value all rows share, and of the others, with what
    their parameters are called, and which of all columns they are."""

    shared: Names
    shared_names: Names
    is_shared: tuple[bool, ...]
    own: Names
    list_names: Names
    is_own: tuple[bool, ...]


@lru_cache(maxsize=1024)
def _split(names: Names, is_shared: tuple[bool, ...]) -> _Split:
    is_own = tuple(map(not_, is_shared))
    shared, own = tuple(compress(names, is_shared)), tuple(compress(names, is_own))
    return _Split(
        shared,
        tuple(map(shared_name, shared)),
        is_shared,
        own,
        tuple(map(list_name, own)),
        is_own,
    )


@lru_cache(maxsize=1024)
def _insert(table: Table, shared: Names, own: Names, size: int) -> Insert:
    return insert(table).from_select([*shared, *own], source(table, shared, own, size))


@lru_cache(maxsize=1024)
def _insert_new(
    make: Callable[[Table], Any], table: Table, shared: Names, own: Names, size: int
) -> ReturningInsert[Any]:
    rows = source(table, shared, own, size)
    new: ReturningInsert[Any] = (
        make(table)
        .from_select([*shared, *own], rows)
        .on_conflict_do_nothing()
        .returning(table.c[own[0]])
    )
    return new


def source(table: Table, shared: Names, own: Names, size: int) -> Select[Any]:
    """The rows of a page, with the columns *shared* and *own*."""
    new = listed(table, own, size)
    common = (
        bindparam(shared_name(name), type_=table.c[name].type).label(name)
        for name in shared
    )
    return select(*common, *new.c).where(new.c[own[0]].is_not(None))


@lru_cache(maxsize=1024)
def _update(table: Table, shared: Names, own: Names, size: int) -> ClauseElement:
    key, *others = own
    new = listed(table, own, size)
    return (
        update(table)
        .where(table.c[key] == new.c[key])
        .values({name: bindparam(shared_name(name)) for name in shared})
        .values({name: new.c[name] for name in others})
    )


def listed(table: Table, own: Names, size: int) -> FromClause:
    """The rows of a page, with the columns *own*."""
    if size in {ANY_LENGTH, WITH_GAPS}:
        arrays = (
            bindparam(list_name(name), type_=_array_type(table.c[name].type, size))
            for name in own
        )
        columns = (column(name, table.c[name].type) for name in own)
        return func.unnest(*arrays).table_valued(*columns, name="new").render_derived()
    parameters = iter(_cells(own, size))
    rows = [
        select(
            *(
                bindparam(next(parameters), type_=table.c[name].type).label(name)
                for name in own
            )
        )
        for _ in range(size)
    ]
    return union_all(*rows).subquery("new")


def _array_type(item: TypeEngine[Any], size: int) -> TypeEngine[Any]:
    if size == ANY_LENGTH and isinstance(item, (String, Worded)):
        return ArrayText(item)
    if size == ANY_LENGTH and isinstance(item, LargeBinary):
        return ArrayBytes()
    return Array(item)


@lru_cache(maxsize=1024)
def _cells(own: Names, size: int) -> Names:
    """What the parameters of a list are called, row by row."""
    return tuple(f"{name}_{place}" for place in range(size) for name in own)


@lru_cache(maxsize=1024)
def _lone(names: Names) -> Names:
    """What the parameters of a single row are called, whose first value is listed."""
    return (*_cells(names[:1], 1), *map(shared_name, names[1:]))


@cache
def list_name(name: str) -> str:
    """What the parameter for the listed values of column *name* is called."""
    return f"new_{name}_list"


@cache
def shared_name(name: str) -> str:
    """What the parameter for the shared value of column *name* is called."""
    return f"new_{name}"
