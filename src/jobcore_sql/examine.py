"""Examine: what is wrong with the tables, and with the settings of their server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, text

from jobcore import Finding
from jobcore_sql import faults
from jobcore_sql.drift import drift
from jobcore_sql.options import SQLOptions
from jobcore_sql.tables import metadata

_MOST_DEAD: Final = 20_000
"""Dead rows that no table is blamed for."""
_LONGEST_LOG: Final = 256
"""MiB of a write-ahead log of SQLite that may be."""
_LONGEST_TRANSACTION: Final = timedelta(minutes=10)
_FLUSHES_EACH_COMMIT: Final = 1
_MIB: Final = 2**20

_BLOATED: Final = text(
    """
    SELECT relname, n_dead_tup, n_live_tup, greatest(last_vacuum, last_autovacuum)
    FROM pg_stat_user_tables
    WHERE schemaname = coalesce(:schema, current_schema()) AND relname = ANY(:names)
        AND n_dead_tup > :most AND n_dead_tup > n_live_tup
    ORDER BY relname
    """
)
_OLD: Final = text(
    """
    SELECT pid, state, xact_start FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_xmin IS NOT NULL AND xact_start < now() - CAST(:longest AS interval)
    ORDER BY xact_start LIMIT 10
    """
)
_OFF: Final = text(
    """
    SELECT name, setting FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'
    ORDER BY name
    """
)

Look = Callable[[Connection, SQLOptions], Iterator[Finding]]


def examine(connection: Connection, options: SQLOptions) -> list[Finding]:
    """All that is found on *connection*. No row of ours is read."""
    look = _LOOKS[connection.dialect.name]
    return [*drift(connection, options), *look(connection, options)]


def _sqlite(connection: Connection, options: SQLOptions) -> Iterator[Finding]:
    if options.synchronous == "off":
        told = {"setting": "synchronous", "value": options.synchronous}
        yield Finding(faults.MAY_BE_DAMAGED, told)
    rows = connection.exec_driver_sql("PRAGMA database_list").all()
    log = Path(f"{rows[0].file}-wal")
    size = log.stat().st_size // _MIB if log.exists() else 0
    if size > _LONGEST_LOG:
        yield Finding(faults.LARGE_LOG, {"file": log.name, "size": size})


def _postgresql(connection: Connection, options: SQLOptions) -> Iterator[Finding]:
    for setting, value in connection.execute(_OFF):
        told = {"setting": setting, "value": value}
        yield Finding(faults.MAY_BE_DAMAGED, told)
    yield from _bloated(connection, options)
    rows = connection.execute(_OLD, {"longest": _LONGEST_TRANSACTION})
    for pid, state, since in rows:
        told = {"pid": pid, "state": state, "since": since}
        yield Finding(faults.OLD_TRANSACTION, told)


def _bloated(connection: Connection, options: SQLOptions) -> Iterator[Finding]:
    naming = options.naming
    asked = {
        "schema": naming.schema,
        "names": [naming.name(each) for each in metadata.tables],
        "most": _MOST_DEAD,
    }
    for table, dead, live, vacuumed_at in connection.execute(_BLOATED, asked):
        at = "no time" if vacuumed_at is None else f"{vacuumed_at:%Y-%m-%d %H:%M:%S}"
        told = {"table": table, "dead": dead, "live": live, "vacuumed_at": at}
        yield Finding(faults.BLOAT, told)


def _mysql(connection: Connection, options: SQLOptions) -> Iterator[Finding]:  # noqa: ARG001 - asked like the others
    name = "innodb_flush_log_at_trx_commit"
    value: Any = connection.exec_driver_sql(f"SELECT @@{name}").scalar()
    if value != _FLUSHES_EACH_COMMIT:
        yield Finding(faults.MAY_LOSE_COMMITS, {"setting": name, "value": value})


_LOOKS: Final[Mapping[str, Look]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
}
