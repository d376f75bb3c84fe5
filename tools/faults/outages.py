"""The faults of a server, and of the way to it: each says how it comes to pass.

A new one is a class with the same members, and a line in `OUTAGES`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, Protocol

import asyncpg

from jobcore_sql import SQLOptions
from tests.postgres_server import PostgresServer
from tools.faults.course import Struck, Tell
from tools.faults.faults import SETTINGS as SHORT
from tools.faults.proxy import Proxy
from tools.faults.scene import Scene

SETTINGS: Final[Mapping[str, str]] = {
    **SHORT,
    "job_claim_timeout": "30",
    "job_polling_interval": "1",
}
"""Lease and polling as they are by default."""
LASTING: Final = 3.0
"""Seconds that an outage lasts whose length is ours to choose."""
_WITHIN: Final = timedelta(seconds=5)
_TERMINATE: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'jobcore'"
)


@dataclass(frozen=True, slots=True)
class Way:
    """A server that is nobody else's, and a proxy before it."""

    server: PostgresServer
    proxy: Proxy

    @property
    def url(self) -> str:
        """Straight to the server."""
        return self.server.url().replace("postgresql:", "postgresql+asyncpg:")

    @property
    def url_through(self) -> str:
        """Through the proxy."""
        return self.proxy.way_to(self.url)

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


class Outage(Protocol):
    """What can happen to a server while workers use it."""

    title: str
    times: int
    pause: tuple[float, float]
    """Seconds between two, at least and at most."""
    within: timedelta
    """How soon after its end each worker has to go on."""
    is_on_the_way: bool
    """Whether it happens at the proxy."""

    async def strike(self, way: Way) -> None:
        """Let it happen; return when it is over."""
        ...


class Kill:
    title = "`kill -9` of the server, started again at once"
    times = 20
    pause = (5.0, 7.0)
    within = _WITHIN
    is_on_the_way = False

    async def strike(self, way: Way) -> None:
        way.server.kill()
        await asyncio.to_thread(way.server.start_again)


class Terminate:
    title = "`pg_terminate_backend` of every connection"
    times = 100
    pause = (0.0, 0.5)
    within = _WITHIN
    is_on_the_way = False

    async def strike(self, way: Way) -> None:
        async with way.connected() as connection:
            await connection.execute(_TERMINATE)


class Silence:
    """No side hears of it: connections stay open, and what is sent is lost. Those that
    have lost something never answer again."""

    title = f"half-open connections: what is sent in {LASTING:.0f} s is lost"
    times = 5
    pause = (20.0, 25.0)
    within = SQLOptions().call_timeout + _WITHIN
    is_on_the_way = True

    async def strike(self, way: Way) -> None:
        way.proxy.silent = True
        await asyncio.sleep(LASTING)
        way.proxy.silent = False


class Exhaust:
    title = f"`max_connections` exhausted for {LASTING:.0f} s"
    times = 10
    pause = (5.0, 7.0)
    within = _WITHIN
    is_on_the_way = False

    async def strike(self, way: Way) -> None:
        async with way.exhausted():
            await asyncio.sleep(LASTING)


OUTAGES: Final[dict[str, Outage]] = {
    "server-killed": Kill(),
    "terminated": Terminate(),
    "half-open": Silence(),
    "exhausted": Exhaust(),
}


class OnServer:
    """A course on which one *outage* follows the other."""

    settings: Mapping[str, str] = SETTINGS

    def __init__(self, outage: Outage, way: Way, random: Random) -> None:
        self._outage = outage
        self._way = way
        self._random = random

    async def run(self, times: int, scene: Scene, tell: Tell) -> Struck:
        over_at: list[datetime] = []
        await self._all_work(scene)
        for number in range(times):
            await asyncio.sleep(self._random.uniform(*self._outage.pause))
            await self._outage.strike(self._way)
            over_at.append(datetime.now(UTC))
            tell(f"outage {number + 1} of {times} is over")
        await asyncio.sleep(self._outage.within.total_seconds())
        return Struck(over_at=over_at, within=self._outage.within)

    async def _all_work(self, scene: Scene) -> None:
        """Wait until each worker has jobs."""
        while True:
            busy = {job.worker for job in await scene.in_progress()}
            if scene.fleet.ready().keys() <= busy:
                return
            await asyncio.sleep(0.02)
