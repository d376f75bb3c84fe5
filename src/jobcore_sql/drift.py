"""Drift: how the tables that are there differ from those of this release."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Connection, MetaData, Table, inspect
from sqlalchemy.engine.reflection import Inspector

from jobcore import Fault, Finding
from jobcore_sql import faults
from jobcore_sql.embedding import add_tables
from jobcore_sql.options import SQLOptions
from jobcore_sql.schema import EMPTY, HEAD, version


def drift(connection: Connection, options: SQLOptions) -> Iterator[Finding]:
    """What is missing, by name. What somebody has added is theirs."""
    found = version(connection, options.naming).revision
    if found != HEAD:
        is_behind = found == EMPTY or found < HEAD
        fault = faults.SCHEMA_BEHIND if is_behind else faults.SCHEMA_AHEAD
        yield Finding(fault, {"found": found, "expected": HEAD})
    there, wanted = inspect(connection), MetaData()
    add_tables(wanted, options)
    for table in wanted.sorted_tables:
        yield from _missing(there, table)


def _missing(there: Inspector, table: Table) -> Iterator[Finding]:
    name, schema = str(table.name), table.schema
    if not there.has_table(name, schema):
        told = {"table": name, "names": "all of it, as it is not there"}
        yield Finding(faults.MISSING_COLUMNS, told)
        return
    columns = {each.name for each in table.columns}
    has = _names(there.get_columns(name, schema))
    yield from _if_any(faults.MISSING_COLUMNS, name, columns, has)
    indexes = {str(each.name) for each in table.indexes}
    has = _names(there.get_indexes(name, schema))
    yield from _if_any(faults.MISSING_INDEXES, name, indexes, has)
    checks = {
        str(each.name)
        for each in table.constraints
        if isinstance(each, CheckConstraint)
    }
    has = _names(there.get_check_constraints(name, schema))
    yield from _if_any(faults.MISSING_CONSTRAINTS, name, checks, has)


def _if_any(
    fault: Fault, table: str, wanted: Collection[str], has: Collection[str]
) -> Iterator[Finding]:
    missing = sorted(set(wanted) - set(has))
    if missing:
        yield Finding(fault, {"table": table, "names": ", ".join(missing)})


def _names(reflected: Collection[Any]) -> set[str]:
    return {str(each["name"]) for each in reflected}
