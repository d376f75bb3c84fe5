"""A server that cannot be trusted with jobs is refused, or warned about."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from jobcore import (
    Answer,
    Filter,
    Outcome,
    ScheduleRecord,
    StoreError,
    StoreUnavailableError,
    WorkerRecord,
)
from jobcore.lifecycle import cancel, complete, fail, release
from jobcore.testing import a_job, a_token, claimed, inserted
from jobcore_redis import RedisJobStore, RedisOptions
from jobcore_redis.checks import check
from tests.jobcore_redis import servers
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def test_a_server_that_would_delete_jobs_is_refused(alone: RedisServer) -> None:
    servers.run(alone.url, "CONFIG SET", "maxmemory-policy", "allkeys-lru")
    with pytest.raises(StoreError, match="allkeys-lru deletes jobs"):
        async with RedisJobStore(alone.url):
            pass
    servers.run(alone.url, "CONFIG SET", "maxmemory-policy", "volatile-lru")
    async with RedisJobStore(alone.url):
        pass


async def test_a_server_without_a_log_is_warned_about(
    alone: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with RedisJobStore(alone.url):
        assert not caplog.records
    servers.run(alone.url, "CONFIG SET", "appendonly", "no")
    with caplog.at_level(logging.WARNING):
        async with RedisJobStore(alone.url):
            assert "appendonly no" in caplog.text


@pytest.mark.parametrize("version", ["6.0.20", "5.0", "2.8.4"])
def test_a_server_that_is_too_old_is_refused(version: str) -> None:
    with pytest.raises(StoreError, match=f"{version} is older than 6.2"):
        check({"redis_version": version})


@pytest.mark.parametrize("version", ["6.2.0", "7.0.15", "7.2.4", "8.0.1"])
def test_a_server_is_known_by_its_version(version: str) -> None:
    told = {"redis_version": version, "aof_enabled": 1}
    assert check(told)[:2] == tuple(map(int, version.split(".")[:2]))


async def test_when_memory_is_full_no_job_comes_in_and_others_are_worked_off(
    alone: RedisServer,
) -> None:
    async with RedisJobStore(alone.url) as store:
        await inserted(store, *(a_job() for _ in range(4)))
        servers.run(alone.url, "CONFIG SET", "maxmemory", "1")
        with pytest.raises(StoreError, match="maxmemory") as refused:
            await inserted(store, a_job())
        assert not isinstance(refused.value, StoreUnavailableError)
        done, failed, released, canceled = await claimed(store, 4)
        renewal = await store.renew([done, failed, released, canceled], HOUR)
        assert not renewal.lost
        error = b'{"type": "Error", "message": ""}'
        writes = [
            complete(done, b"1"),
            fail(failed, error, Outcome.FAILED, HOUR),
            release(released),
            cancel(canceled.job, a_token()),
        ]
        for each in writes:
            assert await store.apply([each]) == [Answer.APPLIED]
        await store.seen(WorkerRecord(id="worker"), HOUR)
        assert await store.turn("duty", HOUR)
        await store.promote(9)
        ended = Filter(finished_for=timedelta(0))
        assert await store.delete(ended, 9) == 2
        assert (await store.verify()).sound


async def test_when_memory_is_full_no_schedule_is_written_and_each_can_be_removed(
    alone: RedisServer,
) -> None:
    async with RedisJobStore(alone.url) as store:
        due_at = (await store.due_schedules(1)).now
        told = ScheduleRecord(name="nightly", revision="1", data=b"", due_at=due_at)
        await store.fire(told, None, [])
        servers.run(alone.url, "CONFIG SET", "maxmemory", "1")
        later = replace(told, revision="2", due_at=due_at + HOUR)
        for jobs in ([], [a_job(id="1")]):
            with pytest.raises(StoreError, match="its memory is full"):
                await store.fire(later, "1", jobs)
        assert (await store.due_schedules(9)).schedules == (told,)
        assert await store.schedules() == [told]
        assert (await store.verify()).sound
        assert await store.unschedule("nightly")


async def test_another_number_of_partitions_is_refused() -> None:
    options = servers.another_namespace()
    async with servers.empty_store("6.2", options):
        pass
    other = RedisOptions(
        prefix=options.prefix, namespace=options.namespace, partitions=3
    )
    with pytest.raises(StoreError, match="has 1 partitions, not 3"):
        async with RedisJobStore(servers.url("6.2"), other):
            pass
