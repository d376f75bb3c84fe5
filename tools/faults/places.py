"""Where experiments are made: an empty store of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from tests.postgres_server import PostgresServer
from tests.redis_cluster import RedisCluster
from tests.redis_server import RedisServer
from tools.faults.cluster import ClusterWay
from tools.faults.postgres import PostgresWay
from tools.faults.proxy import Proxy
from tools.faults.redis import RedisWay, program
from tools.faults.talk import PostgresTalk, RedisTalk
from tools.faults.way import Way

SQLITE, POSTGRESQL, REDIS, CLUSTER = "SQLite", "PostgreSQL", "Redis", "Redis Cluster"
STORES: Final = (SQLITE, POSTGRESQL, REDIS, CLUSTER)


@dataclass(frozen=True, slots=True)
class Place:
    """An empty store of a kind, and a folder for what else there is to keep."""

    store: str
    folder: Path
    url: str


@dataclass(frozen=True, slots=True)
class ServerPlace(Place):
    """One on a server of our own."""

    way: Way


@asynccontextmanager
async def place(store: str, folder: Path) -> AsyncIterator[Place]:
    """An empty store, of which nothing is left but what is in *folder*."""
    if store == SQLITE:
        yield Place(store, folder, f"sqlite+aiosqlite:///{folder}/jobs.db")
        return
    ways = {POSTGRESQL: _postgres, REDIS: _redis, CLUSTER: _cluster}
    async with ways[store](folder) as way:
        yield ServerPlace(store, folder, way.url, way)


@asynccontextmanager
async def _postgres(folder: Path) -> AsyncIterator[Way]:
    server = PostgresServer(_own_folder(), fsync="on")
    server.start()
    try:
        async with Proxy(server.port, PostgresTalk()) as proxy:
            yield PostgresWay(server, proxy)
    finally:
        (folder / "server.log").write_text(server.log())
        server.remove()


@asynccontextmanager
async def _redis(folder: Path) -> AsyncIterator[Way]:
    server = RedisServer(
        _own_folder(), program(), appendonly="yes", appendfsync="always"
    )
    server.start()
    try:
        async with Proxy(server.port, RedisTalk()) as proxy:
            yield RedisWay(server, proxy)
    finally:
        (folder / "server.log").write_text(server.log())
        server.remove()


@asynccontextmanager
async def _cluster(folder: Path) -> AsyncIterator[Way]:
    cluster = RedisCluster(
        _own_folder(), program(), appendonly="yes", appendfsync="always"
    )
    try:
        cluster.start()
        yield ClusterWay(cluster)
    finally:
        logs = [each.log() for each in cluster.servers]
        (folder / "server.log").write_text("\n".join(logs))
        cluster.remove()


def _own_folder() -> Path:
    """Not in *folder*, which the user of a server may not be allowed to enter."""
    return Path(mkdtemp(prefix="jobcore-faults-"))
