"""SQLite in lanes: one that writes, one that reads, and who may use them.

All writing goes through one lane, as SQLite lets one connection write at a time anyway:
the process then waits in a fair line instead of in SQLite's polling. Reading has a lane
of its own, so that it never waits for a writer, of this process or of another.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor

from jobcore import NewJob, StoreNotOpenError
from jobcore_sql.database import Single, Verb
from jobcore_sql.dialects.sqlite import SQLiteDialect
from jobcore_sql.lane import Lane
from jobcore_sql.options import SQLOptions
from jobcore_sql.probe import Probe
from jobcore_sql.problems import CLOSED, NEVER_OPENED, OPEN, OTHER_LOOP, OTHER_PROCESS
from jobcore_sql.transaction import Transaction
from jobcore_sql.wake import Watch, look

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is there while a database is open, and where it was opened."""

    engine: Engine
    writer: Lane
    reader: Lane
    probe: Probe
    loop: asyncio.AbstractEventLoop
    process: int


class Lanes:
    """Opens, runs and closes."""

    def __init__(self, url: URL, options: SQLOptions) -> None:
        self._dialect = SQLiteDialect(url, options)
        self._options = options
        self._lanes: _Opened | None = None
        self._problem = NEVER_OPENED
        self._watch = Watch(self._version, self._look)

    async def open(self, see_to: Callable[[Connection, SQLOptions], T]) -> T:
        if self._lanes is not None:
            raise StoreNotOpenError(OPEN)

        def seen_to(connection: Connection) -> T:
            answer = see_to(connection, self._options)
            connection.commit()
            return answer

        engine = self._dialect.engine()
        self._lanes = _Opened(
            engine,
            Lane("writer", engine, self._dialect),
            Lane("reader", engine, self._dialect),
            Probe(engine, self._dialect),
            asyncio.get_running_loop(),
            os.getpid(),
        )
        try:
            return await self._lanes.writer.run(seen_to)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Wait for what runs, and leave nothing open. In a process that inherited the
        database there is nothing to close: its threads and locks are the parent's."""
        lanes, self._lanes = self._lanes, None
        self._problem = CLOSED
        if lanes is None or lanes.process != os.getpid():
            return
        lanes.probe.close()
        try:
            await lanes.writer.close()
        finally:
            await lanes.reader.close()
            lanes.engine.dispose()

    async def look(self, see: Callable[[Connection, SQLOptions], T]) -> T:
        def seen(connection: Connection) -> T:
            answer = see(connection, self._options)
            connection.rollback()
            return answer

        return await self._usable().reader.run(seen)

    async def read(self, verb: Verb[T], offset: timedelta) -> T:
        def work(connection: Connection) -> T:
            return self._run(connection, verb, offset, self._dialect.begin_reading)

        return await self._usable().reader.run(work)

    async def glance(self, verb: Verb[T], offset: timedelta) -> T:
        def work(connection: Connection) -> T:
            return self._run(connection, verb, offset)

        return await self._usable().reader.run(work)

    async def write(
        self,
        verb: Verb[T],
        offset: timedelta,
        unless: Verb[T | None] | None = None,
        single: Single[T | None] | None = None,  # noqa: ARG002 - no query may write
    ) -> T:
        def work(connection: Connection) -> T:
            known = unless and self._run(connection, unless, offset)
            if known is not None:
                return known
            return self._run(connection, verb, offset, self._dialect.begin_writing)

        return await self._usable().writer.run(work)

    async def renew(self, verb: Verb[T], offset: timedelta) -> T:
        return await self.write(verb, offset)

    @property
    def abilities(self) -> Set[type[Any]]:
        return frozenset()

    def using(self, connection: object, offset: timedelta) -> None:
        """The lanes have connections of their own."""

    def insert_statement(self, jobs: Sequence[NewJob], offset: timedelta) -> None:
        """Nor has SQLite a single statement that stores a job."""

    async def fold(self) -> None:
        """One writer at a time appends nothing."""

    @property
    def waker(self) -> Watch:
        return self._watch

    def _version(self) -> int | None:
        return self._usable().probe.version()

    async def _look(self, queues: Sequence[str], worker: str) -> bool:
        return await self.glance(
            lambda transaction: look(transaction, queues, worker), timedelta(0)
        )

    def _run(
        self,
        connection: Connection,
        verb: Verb[T],
        offset: timedelta,
        begin: Callable[[DBAPICursor], None] | None = None,
    ) -> T:
        with connection.begin():
            cursor = connection.connection.cursor()
            if begin is not None:
                begin(cursor)
            return verb(Transaction(cursor, offset, self._dialect))

    def _usable(self) -> _Opened:
        lanes = self._lanes
        if lanes is None:
            raise StoreNotOpenError(self._problem)
        if lanes.process != os.getpid():
            raise StoreNotOpenError(OTHER_PROCESS)
        if lanes.loop is not asyncio.get_running_loop():
            raise StoreNotOpenError(OTHER_LOOP)
        return lanes
