"""Partial indexes, and what stands for them where a database has none (MySQL).

There an index has all rows, and those that are wanted lie side by side, as they have
the same status.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.compiler import DDLCompiler


class Condition(TextClause):
    """Which rows an index has. Where it has all of them, it is led by *led_by*."""

    inherit_cache: bool | None = True

    def __init__(self, sql: str, led_by: str | None = None) -> None:
        super().__init__(sql)
        self.led_by = led_by


def only(condition: Condition) -> dict[str, Any]:
    """That an index is partial, as each database is told."""
    return {"sqlite_where": condition, "postgresql_where": condition}


@compiles(CreateIndex, "mysql", "mariadb")
def _create_index(element: CreateIndex, compiler: DDLCompiler, **options: Any) -> str:
    written: str = compiler.visit_create_index(element, **options)  # type: ignore[no-untyped-call]  # it has no annotations
    condition = element.element.kwargs.get("postgresql_where")
    if isinstance(condition, Condition) and condition.led_by is not None:
        before, bracket, columns = written.rpartition("(")
        return f"{before}{bracket}{condition.led_by}, {columns}"
    return written
