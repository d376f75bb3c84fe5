"""Lists in statements: of any length, under one statement text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Text,
    any_,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from jobcore_sql.lists import Texts


class Among(FunctionElement[bool]):
    """Whether *column* is in a list, which is one parameter however long it is.

    An IN with a parameter per element has another text for each length, which defeats
    every statement cache, and ends at the database's limit of parameters. How a
    dialect unfolds the parameter is compiled here.
    """

    name = "among"
    type: TypeEngine[Any] = Boolean()
    inherit_cache: bool | None = True

    def __init__(
        self, column: ColumnElement[Any], name: str, values: Sequence[str] | None = None
    ) -> None:
        if values is None:
            listed = bindparam(name, type_=Texts)
        else:
            listed = bindparam(name, list(values), type_=Texts)
        super().__init__(column, listed)

    def self_group(self, against: object = None) -> Self:  # noqa: ARG002 - SQLAlchemy's
        # A function of type boolean would become "... = 1" where a database has no
        # booleans, and no index would serve it.
        return self


@compiles(Among, "sqlite")
def _among(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, listed = element.clauses
    unfolded = func.json_each(listed).table_valued("value")
    return compiler.process(column.in_(select(unfolded.c.value)), **options)


@compiles(Among, "mysql")
def _among_values(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, listed = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN {listed}"  # which the values stand for with their brackets


@compiles(Among, "postgresql")
def _among_array(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, listed = element.clauses
    return compiler.process(column == any_(cast(listed, ARRAY(Text))), **options)
