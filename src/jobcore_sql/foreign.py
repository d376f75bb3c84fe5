"""An INSERT for drivers that are the host's, such as Django's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import asyncpg

from jobcore import InsertStatement, NewJob
from jobcore_sql.dialects import StoreDialect
from jobcore_sql.naming import Naming, language
from jobcore_sql.single.insert import is_due, statement
from jobcore_sql.statement import prepared


def insert_statement(
    dialect: StoreDialect, naming: Naming, offset: timedelta, jobs: Sequence[NewJob]
) -> InsertStatement:
    """What stores *jobs*. Each parameter has its type beside it, whatever the driver
    would take it for."""
    clause, parameters = statement(dialect, offset, jobs, leaves_taken=True)
    # To everybody, as nobody of ours executes it.
    news = [f":{queue}" for queue in {each.queue for each in jobs if is_due(each)}]
    made = prepared(clause, language(_with_names, naming))
    ids = tuple(each.id for each in jobs)
    values = made.named({**parameters, "news": news})
    # Drivers take lists for arrays, but tuples for other things.
    lists = {name: list(each) for name, each in values.items() if type(each) is tuple}
    return InsertStatement(made.text, values | lists, ids)


def _with_names() -> Dialect:
    named: Dialect = asyncpg.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]  # it has no annotations
    return named
