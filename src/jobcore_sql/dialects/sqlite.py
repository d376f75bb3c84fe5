"""SQLite: one file, several processes, one writer at a time.

The stdlib driver runs synchronously on the store's own threads, whatever driver the URL
names. aiosqlite would need an await for each of BEGIN, statement and COMMIT: a caller
that is cancelled between them leaves the transaction, and so the lock of the whole
file, open. One hop to a thread for the whole transaction cannot be cut, and is several
times faster.

A transaction that will write says so at once (BEGIN IMMEDIATE). One that begins as a
reader and turns writer is refused immediately when another process wrote meanwhile,
without any waiting.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    SelectBase,
    Table,
    create_engine,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.selectable import ReturnsRows

from jobcore import StoreError, StoreUnavailableError
from jobcore_sql.conflict import add_up
from jobcore_sql.dialects.packed import packed
from jobcore_sql.naming import language
from jobcore_sql.options import SQLOptions, Synchronous
from jobcore_sql.tables import counts

_SYNCHRONOUS: dict[Synchronous, str] = {
    "off": "PRAGMA synchronous = OFF",
    "normal": "PRAGMA synchronous = NORMAL",
    "full": "PRAGMA synchronous = FULL",
    "extra": "PRAGMA synchronous = EXTRA",
}

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PASSING = _BUSY | {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
_PRIMARY = 0xFF
"""The bits of an error code that are left when its details are taken away."""


class SQLiteDialect:
    """SQLite in a file, in WAL mode."""

    channel: str = ""
    insert: Callable[[Table], Any] = staticmethod(sqlite.insert)
    has_arrays: bool = False
    has_one_writer: bool = True
    error: type[Exception] = sqlite3.Error

    def __init__(self, url: URL, options: SQLOptions) -> None:
        if not url.database or ":memory:" in url.database or "mode" in url.query:
            raise StoreError(_NO_FILE)
        self.language: Dialect = language(sqlite.dialect, options.naming)
        self._url = url.set(drivername="sqlite")
        self._options = options
        self._timeout = options.busy_timeout.total_seconds()

    def engine(self) -> Engine:
        return create_engine(
            self._url,
            poolclass=NullPool,
            hide_parameters=True,
            # The driver's own BEGINs are off: they come late and are deferred.
            connect_args={"isolation_level": None, "timeout": self._timeout},
        )

    def prepare(self, connection: Connection) -> None:
        # Turning WAL on is refused without waiting while others open the file, too.
        self._patiently(connection, "PRAGMA journal_mode = WAL")
        connection.exec_driver_sql(_SYNCHRONOUS[self._options.synchronous])
        connection.exec_driver_sql("PRAGMA journal_size_limit = 67108864")
        connection.rollback()

    def begin_reading(self, cursor: DBAPICursor) -> None:
        cursor.execute("BEGIN")

    def begin_writing(self, cursor: DBAPICursor) -> None:
        cursor.execute("BEGIN IMMEDIATE")

    def never_wait(self, cursor: DBAPICursor) -> None:
        cursor.execute("PRAGMA busy_timeout = 0")

    def fetch(
        self, cursor: DBAPICursor, clause: ReturnsRows, text: str, values: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        if isinstance(clause, SelectBase):
            rows = packed(clause, self.language).fetch(cursor, values)
            if rows is not None:
                return rows
        cursor.execute(text, values)
        return cursor.fetchall()

    def now(self, cursor: DBAPICursor) -> datetime:  # noqa: ARG002 - it has no clock
        return datetime.now(UTC)

    def version(self, cursor: DBAPICursor) -> int:
        cursor.execute("PRAGMA data_version")
        version: int = cursor.fetchall()[0][0]
        return version

    def change_counts(self) -> ClauseElement:
        return add_up(self.insert, counts)

    def damage(self, cursor: DBAPICursor) -> tuple[str, ...]:
        cursor.execute("PRAGMA integrity_check")
        return tuple(str(each) for (each,) in cursor.fetchall() if each != "ok")

    def is_taken(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.IntegrityError)

    def mapped(self, error: Exception) -> StoreError:
        cause = error.orig if isinstance(error, DBAPIError) else error
        kind = StoreUnavailableError if _code(cause) in _PASSING else StoreError
        return kind(f"{type(cause).__name__}: {cause}")

    def _patiently(self, connection: Connection, statement: str) -> None:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                connection.exec_driver_sql(statement).close()
            except DBAPIError as error:
                connection.rollback()
                if _code(error.orig) not in _BUSY or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(random.uniform(0.001, 0.01))  # noqa: S311 - spreads retries


_NO_FILE = "SQLite needs a file here; for jobs that need not last use memory://"


def _code(cause: object) -> int | None:
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY
