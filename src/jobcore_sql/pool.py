"""A database behind a pool of connections, for drivers that are asynchronous.

A verb runs in a greenlet, which SQLAlchemy switches out of wherever the driver waits.
It never leaves a connection in an open transaction: one that was cut short, by a
deadline or a fault, is closed with its transaction.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence, Set
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from jobcore import (
    CallTimeout,
    InsertStatement,
    NewJob,
    Shield,
    StatementStore,
    StoreError,
    StoreNotOpenError,
    StoreUnavailableError,
    TransactionalStore,
)
from jobcore_sql.connections import Connections, Lent
from jobcore_sql.database import Single, Verb
from jobcore_sql.dialects.pooled import NotifyingDialect, PooledDialect
from jobcore_sql.fold import fold, nothing_to_fold
from jobcore_sql.foreign import insert_statement
from jobcore_sql.host import HostTransaction
from jobcore_sql.listen import Hear, Listener
from jobcore_sql.options import SQLOptions
from jobcore_sql.problems import CLOSED, NEVER_OPENED, OPEN, OTHER_LOOP, OTHER_PROCESS
from jobcore_sql.queries import Queries
from jobcore_sql.single.fold import fold as single_fold
from jobcore_sql.transaction import Transaction
from jobcore_sql.wake import Ringer

T = TypeVar("T")

_REPEATS: Final = 5
"""How often a transaction that met a deadlock is repeated at once."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is there while a database is open, and where it was opened. Renewals have
    a connection of their own, as leases would end while they wait for others."""

    engine: AsyncEngine
    connections: Connections
    renewing: Connections
    timeout: CallTimeout
    loop: asyncio.AbstractEventLoop
    process: int


class Pool:
    """Opens, runs and closes."""

    def __init__(
        self, given: URL | AsyncEngine, dialect: PooledDialect, options: SQLOptions
    ) -> None:
        self._given = given
        self._dialect = dialect
        self._options = options
        self._opened: _Opened | None = None
        self._problem = NEVER_OPENED
        self._waker = self._waker_for(dialect)
        self._shield = Shield("jobcore-sql-call")

    async def open(self, see_to: Callable[[Connection, SQLOptions], T]) -> T:
        if self._opened is not None:
            raise StoreNotOpenError(OPEN)
        loop = asyncio.get_running_loop()
        given, dialect = self._given, self._dialect
        engine = dialect.engine(given) if isinstance(given, URL) else given
        kept = None if engine is given else self._options.pool_size
        connections = Connections(engine, dialect, kept)
        renewing = Connections(engine, dialect, 1)
        timeout = CallTimeout(self._options.call_timeout)
        self._opened = _Opened(
            engine, connections, renewing, timeout, loop, os.getpid()
        )

        async def act(lent: Lent) -> T:
            answer = await lent.connection.run_sync(see_to, self._options)
            await lent.connection.commit()
            return answer

        try:
            answer = await self._lend(act)
            self._waker.open()
        except BaseException:
            await self.close()
            raise
        return answer

    async def close(self) -> None:
        opened = self._opened
        is_here = opened is not None and opened.process == os.getpid()
        if is_here:
            await self._shield.finish()
            await self._waker.close()
        self._opened, self._problem = None, CLOSED
        if opened is not None and is_here:
            opened.timeout.close()
            await opened.renewing.close()
            await opened.connections.close()
            if opened.engine is not self._given:
                await opened.engine.dispose()

    async def look(self, see: Callable[[Connection, SQLOptions], T]) -> T:
        async def act(lent: Lent) -> T:
            answer = await lent.connection.run_sync(see, self._options)
            await lent.connection.rollback()
            return answer

        return await self._lend(act)

    async def read(self, verb: Verb[T], offset: timedelta) -> T:
        return await self._run(verb, offset, self._dialect.begin_reading)

    async def glance(self, verb: Verb[T], offset: timedelta) -> T:
        return await self._run(verb, offset)

    async def write(
        self,
        verb: Verb[T],
        offset: timedelta,
        unless: Verb[T | None] | None = None,
        single: Single[T | None] | None = None,
    ) -> T:
        if unless is not None:
            known = await self.glance(unless, offset)
            if known is not None:
                return known
        if single is not None and self._dialect.queries_write:
            known = await self._single(single, offset)
            if known is not None:
                return known
        return await self._run(verb, offset, self._dialect.begin_writing)

    async def renew(self, verb: Verb[T], offset: timedelta) -> T:
        return await self._run(verb, offset, self._dialect.begin_writing, renews=True)

    @property
    def abilities(self) -> Set[type[Any]]:
        of_queries = {StatementStore} if self._dialect.queries_write else set()
        return {TransactionalStore, *of_queries}

    def using(self, connection: object, offset: timedelta) -> HostTransaction:
        self._usable()
        return HostTransaction(self._dialect, connection, offset)

    def insert_statement(
        self, jobs: Sequence[NewJob], offset: timedelta
    ) -> InsertStatement | None:
        if not self._dialect.queries_write:
            return None
        return insert_statement(self._dialect, self._options.naming, offset, jobs)

    async def fold(self) -> None:
        if self._dialect.queries_write:
            await self._single(single_fold, timedelta(0))
        else:
            await self.write(fold, timedelta(0), unless=nothing_to_fold)

    @property
    def waker(self) -> Listener | Ringer:
        return self._waker

    def _waker_for(self, dialect: PooledDialect) -> Listener | Ringer:
        if not isinstance(dialect, NotifyingDialect):
            return Ringer()
        return Listener(
            partial(self._listening, dialect), partial(self._notify, dialect)
        )

    async def _notify(self, dialect: NotifyingDialect, names: Sequence[str]) -> None:
        def notify(transaction: Transaction) -> None:
            dialect.tell(transaction.cursor, names)

        await self.glance(notify, timedelta(0))

    @asynccontextmanager
    async def _listening(
        self, dialect: NotifyingDialect, hear: Hear
    ) -> AsyncIterator[Awaitable[Any]]:
        longest = self._options.call_timeout
        try:
            async with (
                asyncio.timeout(longest.total_seconds()) as deadline,
                dialect.listening(self._usable().engine, hear) as broken,
            ):
                deadline.reschedule(None)
                yield broken
        except TimeoutError as error:
            raise self._late() from error
        except dialect.errors as error:
            raise dialect.mapped(error) from error

    async def _run(
        self,
        verb: Verb[T],
        offset: timedelta,
        begin: Callable[[Any], None] | None = None,
        *,
        renews: bool = False,
    ) -> T:
        """Run *verb*, to its end even where its caller is cancelled meanwhile: there is
        no good way to call a statement back, and its effect would be unknown."""
        begun = begin or self._dialect.begin_single

        async def act(lent: Lent) -> T:
            cursor: Any = lent.cursor  # of DBAPI's, it has what verbs use
            transaction = Transaction(cursor, offset, self._dialect)
            return await greenlet_spawn(self._repeat, transaction, verb, begun)

        return await self._shield.run(partial(self._lend, act, renews=renews))

    async def _single(self, verb: Single[T], offset: timedelta) -> T | None:
        """Run *verb*, likewise, outside of any transaction but where statements cannot
        begin by themselves; None where the server has undone it in favour of
        another."""

        def run(cursor: Any) -> Awaitable[T]:
            return verb(Queries(cursor, offset, self._dialect, self._waker.news))

        if self._dialect.begin_single is not None:
            return await self._run(
                lambda transaction: await_only(run(transaction.cursor)), offset
            )

        async def act(lent: Lent) -> T | None:
            try:
                return await run(lent.cursor)
            except self._dialect.errors as error:
                if not self._dialect.is_deadlock(error):
                    raise
                return None

        return await self._shield.run(partial(self._lend, act))

    def _repeat(
        self,
        transaction: Transaction,
        verb: Verb[T],
        begin: Callable[[Any], None] | None,
    ) -> T:
        """Run *verb*, again if the server has undone it in favour of another."""
        for _ in range(_REPEATS):
            try:
                return _transact(transaction, verb, begin)
            except self._dialect.errors as error:
                if not self._dialect.is_deadlock(error):
                    raise
            transaction = replace(transaction)  # it knows no instant yet
        return _transact(transaction, verb, begin)

    async def _lend(
        self, act: Callable[[Lent], Awaitable[T]], *, renews: bool = False
    ) -> T:
        """What *act* answers with a connection, in the time that a call may take."""
        opened = self._usable()
        connections = opened.renewing if renews else opened.connections
        try:
            with opened.timeout():
                return await connections.lend(act)
        except TimeoutError as error:
            raise self._late() from error
        except self._dialect.errors as error:
            raise self._dialect.mapped(error) from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            problem = f"a row or value is not of this release: {error!r:.200}"
            raise StoreError(problem) from error

    def _late(self) -> StoreUnavailableError:
        return StoreUnavailableError(f"no answer within {self._options.call_timeout}")

    def _usable(self) -> _Opened:
        opened = self._opened
        if opened is None:
            raise StoreNotOpenError(self._problem)
        if opened.process != os.getpid():
            raise StoreNotOpenError(OTHER_PROCESS)
        if opened.loop is not asyncio.get_running_loop():
            raise StoreNotOpenError(OTHER_LOOP)
        return opened


def _transact(
    transaction: Transaction,
    verb: Verb[T],
    begin: Callable[[Any], None] | None,
) -> T:
    cursor: Any = transaction.cursor
    if begin is None:
        return verb(transaction)
    begin(cursor)
    try:
        result = verb(transaction)
    except Exception:
        with suppress(Exception):  # it fails where the connection is the reason
            cursor.execute("ROLLBACK", ())
        raise
    cursor.execute("COMMIT", ())
    return result
