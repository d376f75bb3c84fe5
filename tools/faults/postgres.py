"""What can happen to a PostgreSQL server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import asyncpg

from jobcore import JobStore
from jobcore_sql import SQLJobStore
from tests.postgres_server import PostgresServer
from tools.faults.outages import LASTING, Outage
from tools.faults.proxy import Proxy
from tools.faults.way import ServerWay

_TERMINATE: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'jobcore'"
)
_IDLE: Final = (
    "SELECT pid, query FROM pg_stat_activity"
    " WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
)
_LONGEST: Final = 5.0
"""Seconds for more calls than there are connections."""


@dataclass(frozen=True, slots=True)
class PostgresWay(ServerWay):
    server: PostgresServer
    proxy: Proxy

    @property
    def url(self) -> str:
        return self.server.url().replace("postgresql:", "postgresql+asyncpg:")

    def kill(self) -> None:
        self.server.kill()

    def start_again(self) -> None:
        self.server.start_again()

    async def cut_all(self) -> None:
        async with self.connected() as connection:
            await connection.execute(_TERMINATE)

    async def left_by(self, store: JobStore) -> list[str]:
        if not isinstance(store, SQLJobStore):
            raise TypeError(store)
        left: list[str] = []
        try:
            async with asyncio.timeout(_LONGEST):
                size = 4 * store.options.pool_size
                await asyncio.gather(*(store.statistics() for _ in range(size)))
        except TimeoutError:
            left.append("connections of the pool do not come back")
        return left + await self.open_transactions()

    async def open_transactions(self) -> list[str]:
        """Those that somebody has left open."""
        async with self.connected() as connection:
            rows = await connection.fetch(_IDLE)
        return [f"a transaction is open after {row['query']}" for row in rows]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the server's owner."""
        connection = await asyncpg.connect(self.server.url())
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def exhausted(self) -> AsyncIterator[None]:
        """While the body runs, others have all connections, also those that stores
        had."""
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(self.connected())
            while await first.fetch(_TERMINATE):
                with suppress(asyncpg.TooManyConnectionsError):
                    while True:
                        await stack.enter_async_context(self.connected())
            yield


class Exhaust(Outage[PostgresWay]):
    title = f"`max_connections` exhausted for {LASTING:.0f} s"
    times = 10

    async def strike(self, way: PostgresWay) -> None:
        async with way.exhausted():
            await asyncio.sleep(LASTING)
