"""PostgreSQL, by asyncpg.

Statements go straight to the driver's connection. What writes runs in READ COMMITTED,
where a statement sees what was committed before it began and checks again what it had
to wait for; what reads has one snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from secrets import token_hex
from typing import Any, Final

import asyncpg
from sqlalchemy import URL, Dialect, Insert, Table, select
from sqlalchemy.dialects import postgresql
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
from sqlalchemy.util import await_only

from jobcore import InvalidJobError, StoreError, StoreUnavailableError
from jobcore_sql.conflict import row_of
from jobcore_sql.naming import language
from jobcore_sql.options import SQLOptions
from jobcore_sql.tables import COUNTED, deltas

_CONNECTIONS: Final = (asyncpg.Connection, asyncpg.pool.PoolConnectionProxy)
_STRANGE: Final = (
    "is no AsyncConnection or AsyncSession on asyncpg, nor a connection of asyncpg"
)

_NOTIFY: Final = "SELECT pg_notify($1, name) FROM unnest($2::text[]) AS told (name)"

_BREAKING: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What the driver raises where it has lost its server or its own place."""

_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_PASSING: Final = ("08", "40", "53", "57", "58", "55P03", "25P03", "23505")
"""The classes of SQLSTATE, and three states, that are worth repeating: connection,
rollback by the server, resources, operators and timeouts, system; a lock that was not
to be had, a transaction that idled, and a key that another transaction has taken since
it was looked for, whose holder the next look sees."""


class Cursor:
    """A driver's connection, as the verbs use it: plain calls, made in a greenlet."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._rows = await_only(self.fetch(statement, values))

    async def fetch(self, statement: str, values: Sequence[Any]) -> list[Any]:
        rows: list[Any] = await self._connection.fetch(statement, *values)
        return rows

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        await_only(self._connection.executemany(statement, rows))

    def fetchall(self) -> list[Any]:
        return self._rows

    @property
    def is_closed(self) -> bool:
        closed: bool = self._connection.is_closed()
        return closed

    @property
    def is_in_transaction(self) -> bool:
        open_: bool = self._connection.is_in_transaction()
        return open_

    def terminate(self) -> None:
        """Close the connection without waiting for the server."""
        self._connection.terminate()

    def command(self, *statements: str) -> None:
        """Run statements without values in one round trip."""
        await_only(self._connection.execute(";".join(statements)))


class PostgreSQLDialect:
    """PostgreSQL 15 or later."""

    insert: Callable[[Table], Any] = staticmethod(postgresql.insert)
    has_arrays: bool = True
    has_one_writer: bool = False
    queries_write: bool = True
    errors: tuple[type[Exception], ...] = (
        asyncpg.PostgresError,
        SQLAlchemyError,
        *_BREAKING,
    )

    def __init__(self, options: SQLOptions, *, is_ours: bool) -> None:
        self.language: Dialect = language(postgresql.asyncpg.dialect, options.naming)
        self.channel: str = options.naming.channel
        self._options = options
        self._keeps_settings = is_ours and not options.transaction_pooler
        settings = [f"SET LOCAL {name} = '{value}'" for name, value in self._limits()]
        self._local = [] if self._keeps_settings else settings

    def engine(self, url: URL) -> AsyncEngine:
        """An engine of our own."""
        return create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=self._options.pool_size + 2,  # one renews, one begins to listen
            max_overflow=0,
            pool_use_lifo=True,
            hide_parameters=True,
            connect_args=self._connect_args(),
        )

    def _connect_args(self) -> dict[str, Any]:
        if self._keeps_settings:
            return {"server_settings": dict(self._settings())}
        return {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"jobcore_{token_hex(8)}",
        }

    def _settings(self) -> Iterator[tuple[str, str]]:
        yield "application_name", "jobcore"
        yield "default_transaction_isolation", "read committed"
        yield "default_transaction_read_only", "off"
        # Else the server keeps for hours a connection that the way has forgotten.
        yield "tcp_keepalives_idle", "60"
        yield "tcp_keepalives_interval", "10"
        yield "tcp_keepalives_count", "3"
        yield from self._limits()

    def _limits(self) -> Iterator[tuple[str, str]]:
        options = self._options
        yield "statement_timeout", _milliseconds(options.statement_timeout)
        yield "lock_timeout", _milliseconds(options.lock_timeout)
        idle = "idle_in_transaction_session_timeout"
        yield idle, _milliseconds(options.call_timeout)
        # Every statement of ours has its index, whatever the tables seem to hold, so
        # that one plan is good for all sizes, and none is worth compiling.
        for plan in ("seqscan", "hashjoin", "mergejoin"):
            yield f"enable_{plan}", "off"
        yield "plan_cache_mode", "force_generic_plan"
        yield "jit", "off"

    async def cursor(self, connection: AsyncConnection) -> Cursor:
        """A cursor straight on the driver's connection."""
        raw = await connection.get_raw_connection()
        if raw.driver_connection.is_closed():  # type: ignore[union-attr]  # it has one
            await connection.invalidate()
            raw = await connection.get_raw_connection()
        return Cursor(raw.driver_connection)

    def is_whole(self, cursor: Cursor, error: BaseException) -> bool:
        """Whether the connection is as good as before, though *error* has happened."""
        if cursor.is_closed or cursor.is_in_transaction or _is_unsent(error):
            return False
        return isinstance(error, Exception) and not isinstance(error, _BREAKING)

    async def host_cursor(self, connection: object) -> Cursor:
        """A cursor in the transaction that is open on *connection*."""
        if isinstance(connection, AsyncSession):
            connection = await connection.connection()
        driver: Any = connection
        if isinstance(connection, AsyncConnection):
            raw = await connection.get_raw_connection()
            driver = raw.driver_connection
            if isinstance(driver, _CONNECTIONS) and not driver.is_in_transaction():
                # SQLAlchemy begins with the first statement, which may be ours.
                await connection.execute(select(1))
        if not isinstance(driver, _CONNECTIONS):
            raise InvalidJobError("connection", _STRANGE)
        if not driver.is_in_transaction():
            raise InvalidJobError("connection", "has no open transaction")
        return Cursor(driver)

    def tell(self, cursor: DBAPICursor, names: Sequence[str]) -> None:
        """Let *names* be told to all who listen, with the commit."""
        cursor.execute(_NOTIFY, (self.channel, list(names)))

    @asynccontextmanager
    async def listening(
        self, engine: AsyncEngine, hear: Callable[[str], None]
    ) -> AsyncIterator[asyncio.Future[None]]:
        """A connection of its own, on which *hear* is told what others notify, and a
        future that ends when the connection does."""
        async with engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            raw.detach()
            broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def end(_: object) -> None:
                if not broken.done():
                    broken.set_result(None)

            driver.add_termination_listener(end)
            try:
                await driver.add_listener(self.channel, lambda *told: hear(told[-1]))
                yield broken
            finally:
                driver.terminate()

    @property
    def begin_single(self) -> Callable[[Cursor], None] | None:
        """How a lone statement begins, where it cannot by itself."""
        return None if self._keeps_settings else self.begin_writing

    def begin_reading(self, cursor: Any) -> None:
        cursor.command(_SNAPSHOT, *self._local)

    def begin_writing(self, cursor: Any) -> None:
        cursor.command(_BEGIN, *self._local)

    def now(self, cursor: DBAPICursor) -> datetime:
        cursor.execute("SELECT statement_timestamp()", ())
        now: datetime = cursor.fetchall()[0][0]
        return now

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
        return isinstance(error, asyncpg.UniqueViolationError)

    def is_deadlock(self, error: Exception) -> bool:
        return isinstance(error, asyncpg.DeadlockDetectedError)

    def mapped(self, error: Exception) -> StoreError:
        cause = error.orig if isinstance(error, DBAPIError) else error
        cause = getattr(cause, "__cause__", None) or cause
        kind = StoreUnavailableError if _is_passing(cause) else StoreError
        return kind(f"{type(cause).__name__}: {cause}")


def _is_unsent(error: BaseException) -> bool:
    """Whether a value could not be sent: the server, which has been told of the
    statement, waits for it then in a transaction that the driver does not know of."""
    return isinstance(error, asyncpg.DataError) and error.severity is None


def _is_passing(cause: object) -> bool:
    if isinstance(cause, asyncpg.PostgresError):
        return str(cause.sqlstate).startswith(_PASSING)
    if isinstance(cause, ValueError):  # what the driver cannot send
        return False
    return isinstance(cause, (*_BREAKING, PoolTimeoutError))


def _milliseconds(length: timedelta) -> str:
    return str(length // timedelta(milliseconds=1))


@cache
def _append() -> Insert:
    row: Insert = row_of(postgresql.insert, deltas, COUNTED)
    return row
