"""What can happen to a Redis server."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from redis.asyncio import Redis

from jobcore import JobStore
from jobcore_redis import RedisJobStore
from tests.redis_server import PROGRAM, RedisServer
from tools.faults.outages import LASTING, Outage
from tools.faults.proxy import Proxy
from tools.faults.way import ServerWay

FULL: Final = "its memory is full"
"""What the error says that a submit is refused with."""
_ECHOES: Final = 64
"""More than a store has connections."""
_KINDS: Final = ("normal", "pubsub")


def program() -> Path:
    """The machine's own server if it has one, as it is newer than that of the wheel."""
    found = shutil.which("redis-server", path=os.defpath)
    return PROGRAM if found is None else Path(found)


@dataclass(frozen=True, slots=True)
class RedisWay(ServerWay):
    server: RedisServer
    proxy: Proxy

    @property
    def url(self) -> str:
        return self.server.url

    def kill(self) -> None:
        self.server.kill()

    def start_again(self) -> None:
        self.server.start()

    async def cut_all(self) -> None:
        async with self.connected() as client:
            for kind in _KINDS:
                await client.execute_command("CLIENT", "KILL", "TYPE", kind)  # type: ignore[no-untyped-call]  # it has no annotations

    async def left_by(self, store: JobStore) -> list[str]:
        return await mixed_up(store)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Redis]:
        """A client of the server's owner."""
        async with Redis.from_url(self.url) as client:
            yield client

    @asynccontextmanager
    async def full(self) -> AsyncIterator[None]:
        """While the body runs, nothing more may be kept."""
        async with self.connected() as client:
            await client.config_set("maxmemory", 1)
            try:
                yield
            finally:
                await client.config_set("maxmemory", 0)


class Fill(Outage[RedisWay]):
    title = f"`maxmemory` reached for {LASTING:.0f} s"
    times = 10
    refusal = FULL

    async def strike(self, way: RedisWay) -> None:
        async with way.full():
            await asyncio.sleep(LASTING)


async def mixed_up(store: JobStore) -> list[str]:
    """What is answered to an ECHO over any of the connections that *store* keeps, and
    is not what was sent."""
    if not isinstance(store, RedisJobStore):
        raise TypeError(store)
    server = store._server  # noqa: SLF001 - nobody but a test asks that of a store
    client = server.usable()

    async def echo(send: Awaitable[Any], sent: str) -> str | None:
        answer = await send
        return None if answer == sent.encode() else f"{answer!r} answers {sent}"

    asked: list[Awaitable[str | None]] = []
    for _ in range(_ECHOES):
        sent = token_hex()
        if isinstance(client, Redis):
            asked.append(echo(server._sent("ECHO", sent), sent))  # noqa: SLF001 - likewise
            sent = token_hex()
            asked.append(echo(server.command("ECHO", sent), sent))
        else:
            for node in client.get_nodes():
                sent = token_hex()
                told = client.execute_command("ECHO", sent, target_nodes=node)
                asked.append(echo(told, sent))
    return [told for told in await asyncio.gather(*asked) if told is not None]
