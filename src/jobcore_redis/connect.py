"""From a URL to a client: one machine, Sentinel, or a whole cluster."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final, TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from jobcore import StoreError
from jobcore_redis.options import RedisOptions

Client: TypeAlias = Redis | RedisCluster

_MARK: Final = "jobcore_"
CONNECTIONS: Final = 16
"""How many a store has at most, besides one that listens."""
_SENTINEL_PORT: Final = 26379
_checked = TypeAdapter(RedisOptions)


def address(text: str, options: RedisOptions) -> tuple[SplitResult, RedisOptions]:
    """The URL of a server, and *options* but for those that *text* has in its query,
    such as `jobcore_namespace=mail`. StoreError where it cannot be read."""
    try:
        url = urlsplit(text)
        _hosts(url)
    except ValueError as error:
        problem = "its URL cannot be read"
        raise StoreError(problem) from error
    query = dict(parse_qsl(url.query))
    ours = {name: query.pop(name) for name in list(query) if name.startswith(_MARK)}
    chosen = {name.removeprefix(_MARK): _given(each) for name, each in ours.items()}
    try:
        made = _checked.validate_python({**asdict(options), **chosen})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        problem = f"its URL has a bad {_MARK}{first['loc'][0]}: {first['msg']}"
        raise StoreError(problem) from error
    return url._replace(query=urlencode(query)), made


def _given(text: str) -> object:
    """A number where *text* is one: lengths of time may be given in seconds."""
    try:
        return float(text)
    except ValueError:
        return text


def connected(url: SplitResult, timeout: timedelta) -> Client:
    """A client of our own, which connects when it is first used. It repeats nothing, as
    the manager does that."""
    scheme, _, kind = url.scheme.partition("+")
    seconds = timeout.total_seconds()
    settings: dict[str, Any] = {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    plain = url._replace(scheme=scheme).geturl()
    try:
        if kind == "cluster":
            return RedisCluster.from_url(plain, **settings)
        if kind == "sentinel":
            return _behind_sentinels(url, scheme == "rediss", settings)
        if kind:
            problem = f"there is no way to Redis that is called {kind}"
            raise StoreError(problem)
        settings["socket_timeout"] = None  # each call has its own
        pool = BlockingConnectionPool.from_url(
            plain, max_connections=CONNECTIONS + 2, timeout=seconds, **settings
        )
        return Redis.from_pool(pool)
    except ValueError as error:
        problem = f"its URL cannot be read: {error}"
        raise StoreError(problem) from error


def _behind_sentinels(
    url: SplitResult,
    is_encrypted: bool,  # noqa: FBT001 - passed on by its only caller
    settings: dict[str, Any],
) -> Client:
    """A client of whichever server is the master: sentinels are listed in the place of
    the host, and the path is the service's name, and a number of a database if any."""
    service, _, number = url.path.strip("/").partition("/")
    if not service:
        problem = "its URL names no service of Sentinel"
        raise StoreError(problem)
    sentinels = [(host, port or _SENTINEL_PORT) for host, port in _hosts(url)]
    # Where none but the last answers, it is found within the time of one call.
    seconds = settings["socket_timeout"] / (2 * len(sentinels))
    asking = {
        **settings,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
    }
    sentinel: Any = Sentinel(sentinels, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]  # it has no annotations
    client: Redis = sentinel.master_for(
        service,
        db=int(number or 0),
        username=unquote(url.username or "") or None,
        password=unquote(url.password or "") or None,
        ssl=is_encrypted,
        **settings,
    )
    return client


async def close(client: Client) -> None:
    """Close a client of our own, and those that ask sentinels for it."""
    await client.aclose()
    pool = client.connection_pool if isinstance(client, Redis) else None
    if isinstance(pool, SentinelConnectionPool):
        await pool.sentinel_manager.aclose()


def _hosts(url: SplitResult) -> list[tuple[str, int | None]]:
    """The hosts that are listed in the place of one, and their ports."""
    _, _, listed = url.netloc.rpartition("@")
    hosts = [urlsplit(f"//{each}") for each in listed.split(",")]
    return [(each.hostname or "", each.port) for each in hosts]
