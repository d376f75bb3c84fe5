"""An open database: one lane that writes, one that reads, and who may use them.

All writing goes through one lane, as SQLite lets one connection write at a time anyway:
the process then waits in a fair line instead of in SQLite's polling. Reading has a lane
of its own, so that it never waits for a writer, of this process or of another.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError

from jobcore import StoreError, StoreNotOpenError
from jobcore_sql import schema
from jobcore_sql.dialects import StoreDialect
from jobcore_sql.dialects.sqlite import SQLiteDialect, SQLOptions
from jobcore_sql.lane import Lane
from jobcore_sql.probe import Probe
from jobcore_sql.transaction import Transaction

T = TypeVar("T")

Verb = Callable[[Transaction], T]

_NEVER = "it is not open; use it inside `async with`"
_CLOSED = "it was closed"
_OTHER_PROCESS = "it was opened in another process"
_OTHER_LOOP = "it was opened in another event loop"
_OPEN = "it is open already"


@dataclass(frozen=True, slots=True)
class _Lanes:
    """What is there while a database is open, and where it was opened."""

    engine: Engine
    writer: Lane
    reader: Lane
    probe: Probe
    loop: asyncio.AbstractEventLoop
    process: int


class Database:
    """Opens, runs and closes."""

    def __init__(self, url: str, options: SQLOptions) -> None:
        self._dialect = dialect(url, options)
        self._options = options
        self._lanes: _Lanes | None = None
        self._problem = _NEVER

    async def open(self) -> None:
        """Connect, and see to the tables."""
        if self._lanes is not None:
            raise StoreNotOpenError(_OPEN)
        engine = self._dialect.engine()
        self._lanes = _Lanes(
            engine,
            Lane("writer", engine, self._dialect),
            Lane("reader", engine, self._dialect),
            Probe(engine, self._dialect),
            asyncio.get_running_loop(),
            os.getpid(),
        )
        try:
            await self._lanes.writer.run(self._check_schema)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Wait for what runs, and leave nothing open. In a process that inherited the
        database there is nothing to close: its threads and locks are the parent's."""
        lanes, self._lanes = self._lanes, None
        self._problem = _CLOSED
        if lanes is None or lanes.process != os.getpid():
            return
        lanes.probe.close()
        try:
            await lanes.writer.close()
        finally:
            await lanes.reader.close()
            lanes.engine.dispose()

    async def read(self, verb: Verb[T], offset: timedelta) -> T:
        """Run *verb* on one snapshot."""

        def work(connection: Connection) -> T:
            return self._run(connection, verb, offset, self._dialect.begin_reading)

        return await self._usable().reader.run(work)

    async def glance(self, verb: Verb[T], offset: timedelta) -> T:
        """Run *verb* with each statement seeing what is newest."""

        def work(connection: Connection) -> T:
            return self._run(connection, verb, offset)

        return await self._usable().reader.run(work)

    async def write(
        self, verb: Verb[T], offset: timedelta, unless: Verb[T | None] | None = None
    ) -> T:
        """Run *verb* in a transaction that may write. *unless* is asked first, without
        any lock: what it answers is the answer."""

        def work(connection: Connection) -> T:
            known = unless and self._run(connection, unless, offset)
            if known is not None:
                return known
            return self._run(connection, verb, offset, self._dialect.begin_writing)

        return await self._usable().writer.run(work)

    def version(self) -> int | None:
        """A number that changes when anybody commits, told without waiting; None where
        that is not possible now."""
        return self._usable().probe.version()

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
            now = self._dialect.now(cursor) + offset
            return verb(Transaction(connection, cursor, now, self._dialect))

    def _check_schema(self, connection: Connection) -> None:
        with connection.begin():
            self._dialect.begin_writing(connection.connection.cursor())
            schema.check(connection, migrate=self._options.auto_migrate)

    def _usable(self) -> _Lanes:
        lanes = self._lanes
        if lanes is None:
            raise StoreNotOpenError(self._problem)
        if lanes.process != os.getpid():
            raise StoreNotOpenError(_OTHER_PROCESS)
        if lanes.loop is not asyncio.get_running_loop():
            raise StoreNotOpenError(_OTHER_LOOP)
        return lanes


def dialect(url: str, options: SQLOptions) -> StoreDialect:
    """The dialect for *url*."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        problem = "its URL cannot be read"
        raise StoreError(problem) from error
    if parsed.get_backend_name() != "sqlite":
        problem = f"there is no dialect for {parsed.get_backend_name()}"
        raise StoreError(problem)
    return SQLiteDialect(parsed, options)
