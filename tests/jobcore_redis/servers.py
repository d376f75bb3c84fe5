"""The Redis servers of the tests, and ways to them.

Redis 6.2 and Valkey come from wheels; another server may be named by an environment
variable. Each is started or asked when it is first wanted. Each store has a namespace
of its own, so that it is empty.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import redis
from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from jobcore import ClaimRequest
from jobcore.testing import a_request
from jobcore_redis import RedisJobStore, RedisOptions, acl_rules
from tests.redis_cluster import RedisCluster
from tests.redis_server import PROGRAM, VALKEY, RedisServer

NAMED = "JOBCORE_TEST_REDIS_URL"
OWN = "JOBCORE_TEST_OWN_REDIS_URL"
"""Names a server to be used in the place of our own, by whoever has started that."""
KINDS: tuple[str, ...] = ("6.2", *(["named"] if os.environ.get(NAMED) else []))
"""What answers at a URL."""
WAYS: tuple[str, ...] = (
    () if OWN in os.environ else ("valkey", "cluster", "worker", "flushed", "fakeredis")
)
"""Other ways to keep jobs: in Valkey, on a cluster, as the user of a worker, on a
server that has forgotten its scripts before every call, and with a client that only
plays a server."""
OPTIONS = RedisOptions(prefix=f"jobcore_test_{os.getpid()}")

HOUR = timedelta(hours=1)

_numbers = count()
_started: list[Callable[[], object]] = []


class ForgottenScripts(Redis):
    """A client of a server that knows no script."""

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        if arguments[0] == "EVALSHA":
            await super().execute_command("SCRIPT FLUSH")  # type: ignore[no-untyped-call]
        return await super().execute_command(*arguments, **options)  # type: ignore[no-untyped-call]


def url(kind: str) -> str:
    """The server of this kind."""
    if kind == "named":
        return os.environ[NAMED]
    if kind == "cluster":
        return cluster().url
    if kind == "valkey":
        return _own_server(VALKEY).url
    return os.environ.get(OWN) or _own_server().url


def another_namespace() -> RedisOptions:
    """Options of a store that is empty."""
    return replace(OPTIONS, namespace=f"n{next(_numbers)}")


@asynccontextmanager
async def opening(
    kind: str, options: RedisOptions | None = None
) -> AsyncIterator[Callable[[], RedisJobStore]]:
    """What gives a store that is empty at first, at one of the `KINDS` or in one of the
    `WAYS`."""
    chosen = options or another_namespace()
    async with AsyncExitStack() as clients:
        given: str | Redis
        if kind == "fakeredis":
            client = FakeAsyncRedis(server=FakeServer())
            given = await clients.enter_async_context(client)
        elif kind == "flushed":
            forgetful = ForgottenScripts.from_url(url("6.2"))
            given = await clients.enter_async_context(forgetful)
        elif kind == "worker":
            given = url_of_worker(chosen)
        else:
            given = url(kind)
        yield lambda: RedisJobStore(given, chosen)


@asynccontextmanager
async def empty_store(
    kind: str, options: RedisOptions | None = None
) -> AsyncIterator[RedisJobStore]:
    """A store without anything in it, there."""
    async with opening(kind, options) as store, store() as opened:
        yield opened


def url_of_worker(options: RedisOptions) -> str:
    """The server, for a user who may do no more than a store with *options* does."""
    name = f"{options.prefix}_worker"
    run(url("6.2"), "ACL SETUSER", name, "reset", "on", "nopass", *acl_rules(options))
    return url("6.2").replace("//", f"//{name}:@")


def run(address: str, *command: Any) -> Any:
    """What a server answers to a *command*."""
    with redis.Redis.from_url(address) as client:
        return client.execute_command(*command)


@cache
def cluster() -> RedisCluster:
    """A cluster that all tests share."""
    folder = Path(mkdtemp(prefix="jobcore-redis-cluster-"))
    made = RedisCluster(folder, appendonly="yes", appendfsync="no")
    _started.append(made.remove)
    made.start()
    return made


def stop() -> None:
    """Leave nothing behind."""
    while _started:
        _started.pop()()
    if os.environ.get(NAMED):
        with redis.Redis.from_url(url("named")) as client:
            for key in client.scan_iter(f"{OPTIONS.prefix}:*", count=1000):
                client.unlink(key)


@cache
def _own_server(program: Path = PROGRAM) -> RedisServer:
    folder = Path(mkdtemp(prefix="jobcore-redis-"))
    server = RedisServer(folder, program, appendonly="yes", appendfsync="no")
    _started.append(server.remove)
    server.start()
    return server


def a_request_of(queue: str) -> ClaimRequest:
    """A claim that looks at *queue*."""
    return a_request(queues=(queue,), limit=9)
