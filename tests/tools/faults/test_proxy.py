"""The proxy cuts at the moment it says, and forgets where it is silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost

from tests.jobcore_redis import servers
from tests.jobcore_sql import postgresql
from tools.faults.proxy import Cut, Moment, Proxy
from tools.faults.talk import PostgresTalk, RedisTalk

pytestmark = pytest.mark.anyio

EFFECT = "INSERT INTO pauses (kind, name) VALUES ('queue', $1)"
LOST = (asyncpg.ConnectionDoesNotExistError, ConnectionError)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Before a server with our tables, in which there is nothing."""
    async with postgresql.empty_store("18"):
        pass
    async with Proxy(postgresql.port("18"), PostgresTalk()) as proxy:
        yield proxy
    await postgresql.run("18", "DELETE FROM pauses")


@pytest.fixture
async def connection(proxy: Proxy) -> AsyncIterator[asyncpg.Connection]:
    connection = await connected(proxy)
    yield connection
    connection.terminate()


async def connected(proxy: Proxy) -> asyncpg.Connection:
    return await asyncpg.connect(proxy.way_to(postgresql.database("18")))


async def effects() -> int:
    return len(await postgresql.rows("18", "SELECT name FROM pauses"))


@pytest.mark.parametrize(("moment", "seen"), [(Moment.BEFORE, 1), (Moment.AFTER, 2)])
async def test_a_cut_comes_at_its_request_and_moment(
    proxy: Proxy, connection: asyncpg.Connection, moment: Moment, seen: int
) -> None:
    at_cut: list[int] = []

    async def look() -> None:
        at_cut.append(await effects())

    await connection.execute(EFFECT, "first")
    proxy.cut = Cut(1, moment, look)
    await connection.fetch("SELECT 1")
    with pytest.raises(LOST):
        await connection.execute(EFFECT, "second")
    assert at_cut == [await effects()] == [seen]
    assert proxy.cut.is_made
    again = await connected(proxy)
    await again.execute(EFFECT, "third")
    await again.close()


async def test_a_transaction_that_is_cut_before_its_commit_never_was(
    proxy: Proxy, connection: asyncpg.Connection
) -> None:
    await connection.execute("BEGIN")
    await connection.execute(EFFECT, "first")
    at_cut: list[int] = []

    async def look() -> None:
        at_cut.append(await effects())

    proxy.cut = Cut(0, Moment.BEFORE, look)
    with pytest.raises(LOST):
        await connection.execute("COMMIT")
    assert at_cut == [0]


async def test_a_connection_that_has_lost_something_stays_silent(
    proxy: Proxy, connection: asyncpg.Connection
) -> None:
    proxy.silent = True
    asked = asyncio.ensure_future(connection.execute(EFFECT, "first"))
    await asyncio.wait({asked}, timeout=0.1)
    proxy.silent = False
    another = await connected(proxy)
    await another.execute(EFFECT, "second")
    await another.close()
    assert not asked.done()
    connection.terminate()
    await asyncio.gather(asked, return_exceptions=True)
    assert [
        row["name"] for row in await postgresql.rows("18", "SELECT * FROM pauses")
    ] == ["second"]


@pytest.mark.parametrize(("moment", "seen"), [(Moment.BEFORE, 0), (Moment.AFTER, 1)])
async def test_a_cut_before_redis_comes_at_its_request_and_moment(
    moment: Moment, seen: int
) -> None:
    at_cut: list[int] = []
    port = urlsplit(servers.url("6.2")).port or 0
    key = f"{servers.OPTIONS.prefix}:cut-{moment}"
    many_lines = "\r\n$7\r\n" * 3
    async with (
        Proxy(port, RedisTalk()) as proxy,
        Redis(port=port) as near,
        Redis(port=proxy.port, retry=Retry(NoBackoff(), 0), protocol=2) as far,
    ):

        async def look() -> None:
            at_cut.append(await near.exists(key))

        assert await far.echo(many_lines) == many_lines.encode()
        assert await far.mget("nothing", "nothing") == [None, None]
        cut = proxy.cut = Cut(1, moment, look)
        assert not await far.exists(key)
        with pytest.raises(ConnectionLost):
            await far.set(key, many_lines)
        await cut.is_over.wait()
        assert at_cut == [await near.delete(key)] == [seen]
