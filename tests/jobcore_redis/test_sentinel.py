"""A store behind Sentinel goes on with another master by itself."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from jobcore import (
    DefaultJobManager,
    JobcoreConfig,
    JobStatus,
    StoreUnavailableError,
    Tasks,
    Worker,
)
from jobcore.testing import a_job, inserted
from jobcore_redis import RedisJobStore, RedisOptions
from tests.jobcore_redis import servers
from tests.redis_server import RedisServer
from tests.watched_redis import WatchedRedis

pytestmark = pytest.mark.anyio

OPTIONS = RedisOptions(wait_replicas=1, wait_timeout=timedelta(seconds=5))
HASTY = RedisOptions(call_timeout=timedelta(seconds=2))

tasks = Tasks()


@tasks.task(max_retries=9)
async def work() -> None:
    """Nothing."""


async def test_a_store_goes_on_when_the_master_was_killed(
    watched: WatchedRedis,
) -> None:
    async with RedisJobStore(watched.url, OPTIONS) as store:
        jobs = [each for _ in range(20) for each in await inserted(store, a_job())]
    async with (
        RedisJobStore(watched.url) as store,
        DefaultJobManager(store) as manager,
    ):
        await asyncio.gather(*(store.statistics() for _ in range(40)))
        watched.master.kill()
        async with asyncio.timeout(30):
            job = await manager.submit(work.job())
        wanted = {job.id, *(each.id for each in jobs)}
        assert {each.id for each in (await manager.find()).jobs} == wanted
        assert (await store.verify()).sound


async def test_a_worker_goes_on_when_the_master_was_killed(
    watched: WatchedRedis,
) -> None:
    config = JobcoreConfig(job_polling_interval=timedelta(seconds=0.2))
    async with (
        RedisJobStore(watched.url) as store,
        DefaultJobManager(store, config) as manager,
        Worker(manager, tasks),
    ):
        await manager.result(await manager.submit(work.job()))
        watched.master.kill()
        async with asyncio.timeout(45):
            jobs = await manager.submit_many([work.job() for _ in range(20)])
            for each in jobs:
                await manager.result(each)


async def test_a_store_follows_when_master_and_replica_change_places(
    watched: WatchedRedis,
) -> None:
    async with (
        RedisJobStore(watched.url) as store,
        DefaultJobManager(store) as manager,
    ):
        await asyncio.gather(*(store.statistics() for _ in range(40)))
        await asyncio.to_thread(watched.change_places)
        async with asyncio.timeout(30):
            jobs = [await manager.submit(work.job()) for _ in range(40)]
        assert servers.run(watched.replica.url, "ROLE")[0] == b"master"
        found = await manager.find()
        assert {each.id for each in found.jobs} == {each.id for each in jobs}


async def test_a_master_that_stands_still_is_given_up(watched: WatchedRedis) -> None:
    async with (
        RedisJobStore(watched.url, HASTY) as store,
        DefaultJobManager(store) as manager,
    ):
        await manager.submit(work.job())
        watched.master.pause()
        try:
            async with asyncio.timeout(30):
                job = await manager.submit(work.job())
            assert (await manager.get(job)).status is JobStatus.QUEUED
        finally:
            watched.master.go_on()


@pytest.mark.parametrize("act", ["kill", "pause"])
async def test_one_sentinel_that_answers_is_enough(
    watched: WatchedRedis, act: str
) -> None:
    for each in watched.sentinels[:2]:
        getattr(each, act)()
    began_at = time.monotonic()
    async with RedisJobStore(watched.url, HASTY) as store:
        await inserted(store, a_job())
    assert time.monotonic() - began_at < HASTY.call_timeout.total_seconds()


async def test_no_connection_to_a_sentinel_stays_open(watched: WatchedRedis) -> None:
    before = watched.sentinels[0].clients()
    async with RedisJobStore(watched.url) as store:
        client = store._server.usable()
        assert watched.sentinels[0].clients() > before
    async with asyncio.timeout(10):
        await asyncio.to_thread(watched.sentinels[0].until_left_by, before)
    del client  # which was closed, and not only forgotten


async def test_a_connection_to_a_server_that_became_a_replica_is_not_kept(
    alone: RedisServer,
) -> None:
    async with RedisJobStore(alone.url) as store:
        await inserted(store, a_job())
        wire = store._server._wire
        assert wire is not None
        before = await wire.send("CLIENT", "ID")
        servers.run(alone.url, "REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreUnavailableError, match="read only"):
            await inserted(store, a_job())
        assert await wire.send("CLIENT", "ID") != before
