"""The stores that contestants are measured on."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable, Container, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

POSTGRES = "JOBCORE_BENCHMARK_POSTGRES_URL"
"""Names the server, `postgresql://user@host/database`, whose user makes databases."""
REDIS = "JOBCORE_BENCHMARK_REDIS_URL"
"""Names the server, `redis://host:port`, of which database 15 is empty."""

_NUMBER = 15

Place = Callable[[Path], AbstractAsyncContextManager[str]]


@dataclass(frozen=True, kw_only=True)
class Store:
    """Where a store is: a new *place* in a folder or on a server, which is gone after;
    whether several processes share it; and of its server, if it has one, the CPU
    seconds that it has used, and the bytes that it keeps, where it tells."""

    place: Place
    is_shared: bool
    server_cpu: Callable[[], float] | None = None
    server_memory: Callable[[], int] | None = None


class OccupiedError(Exception):
    """Where a store was to be is something else, which is left as it is."""

    def __init__(self, url: str, keys: int) -> None:
        self.url = url
        self.keys = keys
        super().__init__(f"{url} is not empty, it has {keys} keys")


@contextmanager
def _terminated_in_order() -> Iterator[None]:
    """Within, SIGTERM ends the program as Ctrl-C does, which leaves nothing behind."""
    before = signal.signal(
        signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT)
    )
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@asynccontextmanager
async def _memory(_: Path) -> AsyncIterator[str]:
    yield "memory://"


@asynccontextmanager
async def _file(folder: Path) -> AsyncIterator[str]:
    yield f"sqlite:///{folder}/jobs.db"


@asynccontextmanager
async def _database(_: Path) -> AsyncIterator[str]:
    import asyncpg  # noqa: PLC0415 - only where there is a server

    name = f"jobcore_benchmark_{uuid4().hex}"
    connection = await asyncpg.connect(os.environ[POSTGRES])
    try:
        with _terminated_in_order():
            await connection.execute(f"CREATE DATABASE {name}")
            yield f"{os.environ[POSTGRES].rpartition('/')[0]}/{name}"
    finally:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.close()


@asynccontextmanager
async def _numbered(_: Path) -> AsyncIterator[str]:
    from redis.asyncio import Redis  # noqa: PLC0415 - only where there is a server

    url = urlsplit(os.environ[REDIS])._replace(path=f"/{_NUMBER}").geturl()
    async with Redis.from_url(url, socket_timeout=None) as client:
        if keys := await client.dbsize():
            raise OccupiedError(url, keys)
        try:
            with _terminated_in_order():
                yield url
        finally:
            await client.flushdb()


def postgres_cpu(only: Container[int] | None = None) -> float:
    """What all processes called postgres have used, and those of them that ended; or
    *only* some of them, by their ids."""
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (process / "stat").read_text().rpartition(") ")
        except OSError:  # it has ended
            continue
        if name.endswith("(postgres") and (only is None or int(process.name) in only):
            ticks += sum(map(int, rest.split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def redis_cpu() -> float:
    """What the server says that it has used, and those that it forked."""
    told = _redis_info("cpu")
    names = ("user", "sys", "user_children", "sys_children")
    return float(sum(told[f"used_cpu_{name}"] for name in names))


def redis_memory() -> int:
    """What the server keeps for data, as it says."""
    return int(_redis_info("memory")["used_memory_dataset"])


def _redis_info(section: str) -> Mapping[str, Any]:
    from redis import Redis  # noqa: PLC0415 - only where there is a server

    with Redis.from_url(os.environ[REDIS]) as client:
        told: Mapping[str, Any] = client.info(section)
    return told


STORES: dict[str, Store] = {
    "memory": Store(place=_memory, is_shared=False),
    "sqlite": Store(place=_file, is_shared=True),
}
if POSTGRES in os.environ:
    STORES["postgresql"] = Store(
        place=_database, is_shared=True, server_cpu=postgres_cpu
    )
if REDIS in os.environ:
    STORES["redis"] = Store(
        place=_numbered,
        is_shared=True,
        server_cpu=redis_cpu,
        server_memory=redis_memory,
    )
