"""What the tables are called: a schema they lie in, and a prefix of all their names.

Statements and tables are written once, under plain names. Whoever compiles a statement
does it in a language that has the names of its store, so that nothing of them costs
when it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import CheckConstraint, Dialect, MetaData, Table
from sqlalchemy.sql import quoted_name
from sqlalchemy.sql.compiler import IdentifierPreparer
from sqlalchemy.sql.schema import RETAIN_SCHEMA

from jobcore import StoreError

_WORD: Final = re.compile("[a-z_][a-z0-9_]*")
_LONGEST: Final = 63
"""Bytes that PostgreSQL keeps of a name."""
LONGEST_PREFIX: Final = 32


@dataclass(frozen=True, slots=True)
class Naming:
    """Where a store has its tables. Names are checked when they are given."""

    schema: str | None = None
    prefix: str = ""

    def __post_init__(self) -> None:
        if self.schema is not None:
            _check("schema", self.schema, _LONGEST)
            if self.schema.startswith("pg_"):
                problem = f"the schema {self.schema!r} would be PostgreSQL's own"
                raise StoreError(problem)
        if self.prefix:
            _check("prefix", self.prefix, LONGEST_PREFIX)

    def name(self, plain: str) -> str:
        """The name of the table, index or constraint that is called *plain* in code."""
        return self.prefix + plain

    @property
    def channel(self) -> str:
        """Where those who share the tables notify each other. It has a name's length,
        however long its parts are."""
        if self == Naming():
            return "jobcore"
        place = f"{self.schema or ''}.{self.prefix}"
        return f"jobcore_{sha256(place.encode()).hexdigest()[:16]}"

    def add(self, table: Table, metadata: MetaData) -> Table:
        """*table* as a part of *metadata*, under its whole name."""
        schema = self.schema or RETAIN_SCHEMA
        name = self.name(table.name)
        copy = table.to_metadata(metadata, schema=schema, name=name)
        for index in copy.indexes:
            index.name = quoted_name(self.name(str(index.name)), None)
        for constraint in copy.constraints:
            if isinstance(constraint, CheckConstraint):
                constraint.name = self.name(str(constraint.name))
        return copy


class TableName(quoted_name):
    """The plain name of a table of ours."""

    __slots__ = ()


class _Preparer(IdentifierPreparer):
    """Writes the tables of ours under their whole names."""

    naming: Naming

    def quote(self, ident: str) -> str:
        is_ours = isinstance(ident, TableName)
        return super().quote(self.naming.name(str(ident)) if is_ours else ident)

    def schema_for_object(self, item: Any, /) -> str | None:  # type: ignore[override]  # an attribute there
        is_ours = isinstance(item.name, TableName)
        schema: str | None = self.naming.schema if is_ours else item.schema
        return schema


@cache
def language(make: Callable[[], Dialect], naming: Naming) -> Dialect:
    """The dialect that *make* makes, in which tables are called as *naming* has it.
    Stores of the same naming share it, and so what is compiled in it."""
    made = make()
    kind = type("_Preparer", (_Preparer, made.preparer), {"naming": naming})
    made.identifier_preparer = kind(made)
    return made


def _check(kind: str, name: str, longest: int) -> None:
    if not _WORD.fullmatch(name) or len(name) > longest:
        problem = (
            f"the {kind} {name!r:.80} is not made of at most {longest} letters a to z, "
            "digits and underscores, of which the first is no digit"
        )
        raise StoreError(problem)
