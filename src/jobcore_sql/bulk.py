"""Writing many rows at once, without what SQLAlchemy does for each of them.

Preparing the parameters of a row costs SQLAlchemy more than the database needs to store
it. Here a statement is compiled once per dialect, and rows come as tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    BindParameter,
    Connection,
    Dialect,
    Table,
    bindparam,
    insert,
    update,
)
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as a driver takes it: its text, the place of each of its parameters
    in a row, and how the values of a place are encoded."""

    text: str
    order: list[int]
    encoders: Mapping[int, Callable[[Any], Any]]


class Bulk:
    """A write whose rows are tuples: a value for each of *parameters*, which are named
    as in the statement and lie in columns of such types."""

    def __init__(
        self, statement: UpdateBase, parameters: Mapping[str, TypeEngine[Any]]
    ) -> None:
        self._statement = statement
        self._parameters = parameters
        self._compiled: WeakKeyDictionary[Dialect, _Compiled] = WeakKeyDictionary()

    def write(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Execute it for each of *rows*."""
        compiled = self._for(connection.dialect)
        values: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for place, encode in compiled.encoders.items():
            values[place] = _encoded(values[place], encode)
        ordered = (values[place] for place in compiled.order)
        connection.exec_driver_sql(compiled.text, list(zip(*ordered, strict=True)))

    def _for(self, dialect: Dialect) -> _Compiled:
        if dialect not in self._compiled:
            compiled = self._statement.compile(dialect=dialect)
            places = {name: place for place, name in enumerate(self._parameters)}
            encoders = {
                places[name]: encode
                for name, kind in self._parameters.items()
                if (encode := kind.dialect_impl(dialect).bind_processor(dialect))
            }
            order = [places[name] for name in compiled.positiontup or ()]
            self._compiled[dialect] = _Compiled(str(compiled), order, encoders)
        return self._compiled[dialect]


def bulk_insert(table: Table, *names: str) -> Bulk:
    """An INSERT of the columns *names*."""
    values = _parameters(names)
    return Bulk(
        insert(table).values(values), {_new(name): table.c[name].type for name in names}
    )


def bulk_update(table: Table, *names: str) -> Bulk:
    """An UPDATE of the columns *names* in the row whose id a tuple ends with."""
    values = _parameters(names)
    statement = update(table).where(table.c.id == bindparam("id_")).values(values)
    types = {_new(name): table.c[name].type for name in names}
    return Bulk(statement, {**types, "id_": table.c.id.type})


def _parameters(names: Sequence[str]) -> dict[str, BindParameter[Any]]:
    return {name: bindparam(_new(name)) for name in names}


def _encoded(values: Iterable[Any], encode: Callable[[Any], Any]) -> Iterator[Any]:
    """Each of *values* encoded. Many rows of a batch share one object, such as the
    instant of the transaction, which is then encoded once."""
    last = stored = None
    for value in values:
        if value is not last:
            last, stored = value, encode(value)
        yield stored


def _new(name: str) -> str:
    return f"new_{name}"
