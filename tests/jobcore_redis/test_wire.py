"""Commands and their answers belong together, whatever is cancelled or cut."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import ResponseError

from jobcore import StoreUnavailableError
from jobcore.testing import a_job, inserted
from jobcore_redis import RedisJobStore
from jobcore_redis.wire import Wire
from tests.jobcore_redis import servers
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio


async def test_no_call_reads_the_answer_to_one_that_was_cancelled() -> None:
    random = Random(7)
    pool = BlockingConnectionPool.from_url(
        servers.url("6.2"), max_connections=4, protocol=2, socket_timeout=None
    )
    async with Redis.from_pool(pool) as client:
        wire = Wire(client, 4)
        for number in range(1000):
            echo = ("ECHO", f"cancelled {number}")
            both = number % 2
            call = asyncio.create_task(
                wire.send_both(echo, ("WAIT", 0, 1)) if both else wire.send(*echo)
            )
            for _ in range(random.randrange(5)):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            if number % 50 == 0:
                asked = [f"{number} {place}" for place in range(8)]
                calls = (wire.send("ECHO", each) for each in asked)
                answers = await asyncio.gather(*calls)
                assert [each.decode() for each in answers] == asked
        with pytest.raises(ResponseError):
            await wire.send_both(("ECHO",), ("ECHO", "unread"))
        assert await wire.send("ECHO", "last") == b"last"
        await wire.close()


async def test_calls_that_are_cancelled_by_the_hundred_leave_the_store_whole() -> None:
    random = Random(11)
    async with servers.empty_store("6.2") as store:
        for _ in range(300):
            call = asyncio.create_task(inserted(store, a_job(), a_job()))
            for _ in range(random.randrange(8)):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        async with asyncio.timeout(10):
            await asyncio.gather(*(store.statistics() for _ in range(40)))
        assert (await store.verify()).sound


@pytest.mark.parametrize("synced", ["always", "everysec"])
async def test_a_server_that_was_killed_has_all_it_acknowledged(
    alone: RedisServer, synced: str
) -> None:
    servers.run(alone.url, "CONFIG SET", "appendfsync", synced)
    async with RedisJobStore(alone.url) as store:
        jobs = [each for _ in range(20) for each in await inserted(store, a_job())]
        if synced == "everysec":
            await has_written_its_log(alone)
        alone.kill()
        with pytest.raises(StoreUnavailableError):
            await store.statistics()
        alone.start()
        found = await store.get([each.id for each in jobs])
        assert [each and each.id for each in found] == [each.id for each in jobs]
        assert (await store.verify()).sound


async def has_written_its_log(server: RedisServer) -> None:
    """With ``everysec`` it answers before, for up to two seconds, while it syncs."""
    async with Redis.from_url(server.url) as client, asyncio.timeout(10):
        while (await client.info("persistence"))["aof_buffer_length"]:
            continue
