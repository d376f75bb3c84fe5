"""A database behind a pool of connections, for drivers that are asynchronous.

A verb runs in a greenlet, which SQLAlchemy switches out of wherever the driver waits.
It never leaves a connection in an open transaction: one that was cut short, by a
deadline or a fault, is closed with its transaction.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import URL
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jobcore import StoreError, StoreNotOpenError, StoreUnavailableError
from jobcore_sql import schema
from jobcore_sql.database import Singles, Verb
from jobcore_sql.dialects.postgresql import PostgreSQLDialect
from jobcore_sql.host import HostTransaction
from jobcore_sql.listen import Hear, Listener
from jobcore_sql.options import SQLOptions
from jobcore_sql.problems import CLOSED, NEVER_OPENED, OPEN, OTHER_LOOP, OTHER_PROCESS
from jobcore_sql.single import SINGLE
from jobcore_sql.single.fold import fold
from jobcore_sql.transaction import Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Engine:
    """What is there while a database is open, and where it was opened."""

    engine: AsyncEngine
    loop: asyncio.AbstractEventLoop
    process: int


class Pool:
    """Opens, runs and closes."""

    def __init__(self, given: URL | AsyncEngine, options: SQLOptions) -> None:
        self._given = given
        is_ours = isinstance(given, URL)
        self._dialect = PostgreSQLDialect(options, is_ours=is_ours)
        self._options = options
        self._opened: _Engine | None = None
        self._problem = NEVER_OPENED
        self._listener = Listener(self._listening, self._notify)
        self._calls: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        if self._opened is not None:
            raise StoreNotOpenError(OPEN)
        loop = asyncio.get_running_loop()
        given = self._given
        engine = self._dialect.engine(given) if isinstance(given, URL) else given
        self._opened = _Engine(engine, loop, os.getpid())
        try:
            async with self._connection() as connection:
                migrate = self._options.auto_migrate
                await connection.run_sync(schema.check, self._dialect, migrate=migrate)
                await connection.commit()
            self._listener.open()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        opened, self._opened = self._opened, None
        self._problem = CLOSED
        if opened is not None and opened.process == os.getpid():
            await self._listener.close()
            while self._calls:
                await asyncio.wait(set(self._calls))
            if opened.engine is not self._given:
                await opened.engine.dispose()

    async def read(self, verb: Verb[T], offset: timedelta) -> T:
        return await self._run(verb, offset, self._dialect.begin_reading)

    async def glance(self, verb: Verb[T], offset: timedelta) -> T:
        return await self._run(verb, offset)

    async def write(
        self, verb: Verb[T], offset: timedelta, unless: Verb[T | None] | None = None
    ) -> T:
        if unless is not None:
            known = await self.glance(unless, offset)
            if known is not None:
                return known
        return await self._run(verb, offset, self._dialect.begin_writing)

    @property
    def single(self) -> Singles:
        return SINGLE

    @property
    def is_transactional(self) -> bool:
        return True

    def using(self, connection: object, offset: timedelta) -> HostTransaction:
        self._usable()
        return HostTransaction(self._dialect, connection, offset)

    async def fold(self) -> None:
        await self.glance(fold, timedelta(0))

    @property
    def waker(self) -> Listener:
        return self._listener

    async def _notify(self, names: Sequence[str]) -> None:
        async with self._connection() as connection:
            await self._dialect.notify(connection, names)

    @asynccontextmanager
    async def _listening(self, hear: Hear) -> AsyncIterator[Awaitable[Any]]:
        try:
            async with self._dialect.listening(self._usable(), hear) as broken:
                yield broken
        except self._dialect.errors as error:
            raise self._dialect.mapped(error) from error

    async def _run(
        self,
        verb: Verb[T],
        offset: timedelta,
        begin: Callable[[DBAPICursor], None] | None = None,
    ) -> T:
        """Run *verb*, to its end even where its caller is cancelled meanwhile: there is
        no good way to call a statement back, and its effect would be unknown."""

        async def run() -> T:
            async with self._connection() as connection:
                cursor: Any = await self._dialect.cursor(connection)
                return await connection.run_sync(
                    lambda _: _transact(
                        cursor, work, begin or self._dialect.begin_single
                    )
                )

        def work(cursor: DBAPICursor) -> T:
            return verb(Transaction(cursor, offset, self._dialect))

        call = asyncio.create_task(run(), name="jobcore-sql-call")
        self._calls.add(call)
        call.add_done_callback(self._landed)
        return await asyncio.shield(call)

    def _landed(self, call: asyncio.Task[Any]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection of the pool, for as long as a call may take."""
        engine = self._usable()
        try:
            async with asyncio.timeout(self._options.call_timeout.total_seconds()):
                async with engine.connect() as connection:
                    try:
                        yield connection
                    except BaseException as error:
                        await self._dialect.leave(connection, error)
                        raise
        except TimeoutError as error:
            problem = f"no answer within {self._options.call_timeout}"
            raise StoreUnavailableError(problem) from error
        except self._dialect.errors as error:
            raise self._dialect.mapped(error) from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            problem = f"a row or value is not of this release: {error!r:.200}"
            raise StoreError(problem) from error

    def _usable(self) -> AsyncEngine:
        opened = self._opened
        if opened is None:
            raise StoreNotOpenError(self._problem)
        if opened.process != os.getpid():
            raise StoreNotOpenError(OTHER_PROCESS)
        if opened.loop is not asyncio.get_running_loop():
            raise StoreNotOpenError(OTHER_LOOP)
        return opened.engine


def _transact(
    cursor: DBAPICursor,
    work: Callable[[DBAPICursor], T],
    begin: Callable[[DBAPICursor], None] | None,
) -> T:
    if begin is None:
        return work(cursor)
    begin(cursor)
    try:
        result = work(cursor)
    except Exception:
        cursor.execute("ROLLBACK", ())
        raise
    cursor.execute("COMMIT", ())
    return result
