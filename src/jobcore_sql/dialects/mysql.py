"""MySQL and MariaDB, by asyncmy, in statements that both can do.

What writes runs in READ COMMITTED, where a statement sees what was committed before it
began and locks nothing but the rows it finds; what reads has one snapshot. Of two
transactions that wait for each other the server undoes one, which is then repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from math import ceil
from typing import Any, Final

import asyncmy
from asyncmy.constants.SERVER_STATUS import SERVER_STATUS_AUTOCOMMIT
from asyncmy.errors import Error
from sqlalchemy import URL, Dialect, Insert, Table, event, select
from sqlalchemy.dialects import mysql
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.selectable import ReturnsRows

from jobcore import InvalidJobError, StoreError, StoreUnavailableError
from jobcore_sql.conflict import row_of
from jobcore_sql.dialects.mysql_cursor import Cursor
from jobcore_sql.naming import language
from jobcore_sql.options import SQLOptions
from jobcore_sql.tables import COUNTED, deltas

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOW: Final = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"

_READ_COMMITTED: Final = "TRANSACTION ISOLATION LEVEL READ COMMITTED"
_SNAPSHOT: Final = "TRANSACTION ISOLATION LEVEL REPEATABLE READ"

_OTHER_DRIVER: Final = "its engine is not on asyncmy"
_STRANGE: Final = "is no AsyncConnection or AsyncSession on asyncmy"

_LONGEST: Final = 16 * 1024 * 1024
"""How many bytes a statement has at most, where the server was not asked."""

_DUPLICATE: Final = 1062
_DEADLOCK: Final = 1213
_DRIVER: Final = range(2000, 3000)
"""What the driver says where it has lost its server, or its own place."""
_PASSING: Final = frozenset(
    {
        _DUPLICATE,  # another transaction took the key since it was looked for
        _DEADLOCK,
        *(1020, 1205),  # changed since it was read; a lock that was not to be had
        *(1021, 1037, 1038, 1041, 1114),  # disk and memory
        *(1040, 1203, 1226),  # connections
        *(1053, 1077, 1079, 1927, 3169),  # the server stops, or has killed this
        *(1158, 1159, 1160, 1161, 1184, 4031),  # network
        *(1290, 1836),  # it only reads, as after a failover
        *(1317, 1969, 3024),  # timeouts
    }
)
"""The numbers of errors that are worth repeating."""


class _Insert(mysql.Insert):
    """An INSERT in the words that other databases have for what is there already."""

    inherit_cache = True

    @property
    def excluded(self) -> Any:
        return self.inserted

    def on_conflict_do_nothing(self) -> Any:
        key, *_ = self.table.primary_key.columns  # type: ignore[attr-defined]  # of a table
        return self.on_duplicate_key_update({key.name: key})

    def on_conflict_do_update(self, *, index_elements: object, set_: Any) -> Any:  # noqa: ARG002 - it is any key's
        return self.on_duplicate_key_update(set_)


class MySQLDialect:
    """MariaDB 10.6 or later, and MySQL 8."""

    channel: str = ""
    insert: Callable[[Table], Any] = staticmethod(_Insert)
    has_arrays: bool = False
    has_one_writer: bool = False
    queries_write: bool = False
    errors: tuple[type[Exception], ...] = (Error, SQLAlchemyError, OSError)

    def __init__(self, options: SQLOptions, *, is_ours: bool) -> None:
        self.language: Dialect = language(mysql.asyncmy.dialect, options.naming)
        self._options = options
        self._is_ours = is_ours
        self._longest = _LONGEST

    def engine(self, url: URL) -> AsyncEngine:
        """An engine of our own."""
        engine = create_async_engine(
            url.set(drivername="mysql+asyncmy"),
            pool_size=self._options.pool_size + 1,  # one renews
            max_overflow=0,
            pool_use_lifo=True,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
        )
        event.listen(engine.sync_engine, "connect", self._prepare)
        return engine

    def _prepare(self, connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for each in self._settings():
            cursor.execute(f"SET SESSION {each}")
        cursor.execute("SELECT @@max_allowed_packet")
        self._longest = cursor.fetchall()[0][0]
        cursor.close()

    def _settings(self) -> Iterator[str]:
        options = self._options
        seconds = options.statement_timeout.total_seconds()
        yield _READ_COMMITTED
        yield "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
        # MariaDB alone reads the first comment, and MySQL the other. MariaDB would make
        # a subquery of a long list, for which it reads the whole table.
        yield (
            f"innodb_lock_wait_timeout = {ceil(options.lock_timeout.total_seconds())}"
            f"/*M!, max_statement_time = {seconds},"
            " in_predicate_conversion_threshold = 0 */"
            f"/*!80000 , max_execution_time = {ceil(seconds * 1000)} */"
        )

    async def cursor(self, connection: AsyncConnection) -> Cursor:
        """A cursor straight on the driver's connection."""
        raw = await connection.get_raw_connection()
        if not isinstance(raw.driver_connection, asyncmy.Connection):
            raise StoreError(_OTHER_DRIVER)
        if not raw.driver_connection.connected:
            await connection.invalidate()
            raw = await connection.get_raw_connection()
        return Cursor(raw.driver_connection, self._longest)

    def is_whole(self, cursor: Cursor, error: BaseException) -> bool:
        """Whether the connection is as good as before, though *error* has happened."""
        if cursor.is_closed or cursor.is_in_transaction:
            return False
        return isinstance(error, Exception) and not _has_lost(error)

    async def host_cursor(self, connection: object) -> Cursor:
        """A cursor in the transaction that is open on *connection*."""
        if isinstance(connection, AsyncSession):
            connection = await connection.connection()
        if not isinstance(connection, AsyncConnection):
            raise InvalidJobError("connection", _STRANGE)
        raw = await connection.get_raw_connection()
        if not isinstance(raw.driver_connection, asyncmy.Connection):
            raise InvalidJobError("connection", _STRANGE)
        driver: Any = raw.driver_connection
        if not connection.in_transaction():
            # SQLAlchemy begins with the first statement, which may be ours.
            await connection.execute(select(1))
        cursor = Cursor(driver, self._longest)
        commits_each = driver.server_status & SERVER_STATUS_AUTOCOMMIT
        if commits_each and not cursor.is_in_transaction:
            raise InvalidJobError("connection", "has no open transaction")
        return cursor

    @property
    def begin_single(self) -> Callable[[Any], None] | None:
        """How a lone statement begins, where it cannot by itself."""
        return None if self._is_ours else self.begin_writing

    def begin_reading(self, cursor: DBAPICursor) -> None:
        cursor.execute(f"SET {_SNAPSHOT}")
        cursor.execute("START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT")

    def begin_writing(self, cursor: DBAPICursor) -> None:
        if not self._is_ours:
            cursor.execute(f"SET {_READ_COMMITTED}")
        cursor.execute("START TRANSACTION")

    def now(self, cursor: DBAPICursor) -> datetime:
        cursor.execute(_NOW)
        return _EPOCH + timedelta(microseconds=cursor.fetchall()[0][0])

    def fetch(
        self,
        cursor: DBAPICursor,
        clause: ReturnsRows,  # noqa: ARG002 - others make another statement of it
        text: str,
        values: Sequence[Any],
    ) -> Sequence[Sequence[Any]]:
        cursor.execute(text, values)
        return cursor.fetchall()

    def change_counts(self) -> ClauseElement:
        return _append()

    def damage(self, cursor: DBAPICursor) -> tuple[str, ...]:  # noqa: ARG002 - it checks its pages itself
        return ()

    def is_taken(self, error: Exception) -> bool:
        return _number(error) == _DUPLICATE

    def is_deadlock(self, error: Exception) -> bool:
        return _number(error) == _DEADLOCK

    def mapped(self, error: Exception) -> StoreError:
        cause = error.orig if isinstance(error, DBAPIError) else error
        is_passing = _has_lost(cause) or _number(cause) in _PASSING
        kind = StoreUnavailableError if is_passing else StoreError
        return kind(f"{type(cause).__name__}: {cause}")


def _number(error: object) -> int | None:
    """What the server calls *error*."""
    number = error.args[0] if isinstance(error, Error) and error.args else None
    return number if isinstance(number, int) else None


def _has_lost(error: object) -> bool:
    """Whether *error* says that there is no server to talk to."""
    if isinstance(error, Error):
        number = _number(error)
        return not number or number in _DRIVER
    return isinstance(error, OSError | PoolTimeoutError)


@cache
def _append() -> Insert:
    row: Insert = row_of(_Insert, deltas, COUNTED)
    return row
