"""Connections of an engine, each lent to one call at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jobcore_sql.dialects.pooled import PoolCursor, PooledDialect

T = TypeVar("T")


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

    async def lend(self, act: Callable[[Lent], Awaitable[T]]) -> T:
        """What *act* answers with a connection."""
        async with self._places:
            lent = await self._take()
            try:
                answer = await act(lent)
            except BaseException as error:
                if not self._dialect.is_whole(lent.cursor, error):
                    await self._discard(lent)
                    raise
                await self._give_back(lent)
                raise
            await self._give_back(lent)
            return answer

    async def close(self) -> None:
        """Give back to the engine what is kept."""
        while self._free:
            await self._free.pop().connection.close()

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
        lent.cursor.terminate()
        await lent.connection.invalidate()
        await lent.connection.close()
