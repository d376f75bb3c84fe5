"""Connections of an engine, each lent to one call at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jobcore_sql.dialects.pooled import PoolCursor, PooledDialect


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection, and a cursor on it for what runs outside of SQLAlchemy."""

    connection: AsyncConnection
    cursor: PoolCursor


class Connections:
    """Lends connections, and closes those that are not as good as before.

    Up to *kept* of them stay checked out, as a checkout costs more than most
    statements; where none is to be kept, as of a host's engine, they go back to its
    pool after each call.
    """

    def __init__(
        self, engine: AsyncEngine, dialect: PooledDialect, kept: int | None
    ) -> None:
        self._engine = engine
        self._dialect = dialect
        self._keeps = kept is not None
        self._places = nullcontext() if kept is None else asyncio.Semaphore(kept)
        self._free: list[Lent] = []
        self._lent = 0
        self._all_back = asyncio.Event()
        self._all_back.set()
        self._discarding: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Lent]:
        """A connection for the body."""
        self._lent += 1
        self._all_back.clear()
        try:
            async with self._places:
                lent = await self._take()
                try:
                    yield lent
                except BaseException as error:
                    if not self._dialect.is_whole(lent.cursor, error):
                        await self._discard(lent)
                        raise
                    await self._give_back(lent)
                    raise
                await self._give_back(lent)
        finally:
            self._lent -= 1
            if not self._lent:
                self._all_back.set()

    async def all_back(self) -> None:
        """Wait until none is lent."""
        await self._all_back.wait()

    async def close(self) -> None:
        """Give back to the engine what is kept."""
        while self._free:
            await self._free.pop().connection.close()
        while self._discarding:
            await asyncio.wait(set(self._discarding))

    async def _take(self) -> Lent:
        while self._free:
            lent = self._free.pop()
            if not lent.cursor.is_closed:
                return lent
            await self._discard(lent)
        connection = await self._engine.connect()
        try:
            return Lent(connection, await self._dialect.cursor(connection))
        except BaseException:
            await connection.close()
            raise

    async def _give_back(self, lent: Lent) -> None:
        if self._keeps:
            self._free.append(lent)
        else:
            await lent.connection.close()

    async def _discard(self, lent: Lent) -> None:
        """Close a connection, whoever cancels the wait for it."""
        lent.cursor.terminate()
        task = asyncio.create_task(_invalidate(lent), name="jobcore-sql-discard")
        self._discarding.add(task)
        task.add_done_callback(self._discarding.discard)
        await asyncio.shield(task)


async def _invalidate(lent: Lent) -> None:
    await lent.connection.invalidate()
    await lent.connection.close()
