"""What was stored, or is over, is known to replicas, where that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from jobcore import (
    Answer,
    DefaultJobManager,
    JobcoreConfig,
    JobStatus,
    NewJob,
    ScheduleRecord,
    Tasks,
    Worker,
)
from jobcore.lifecycle import complete
from jobcore.testing import a_claim, a_job, current, inserted, named
from jobcore.wrappers import InstrumentedStore, StoreCall
from jobcore_redis import NotReplicatedError, RedisJobStore, RedisOptions
from tests.jobcore_redis import servers
from tests.redis_server import RedisServer
from tests.replicated_redis import ReplicatedRedis

pytestmark = pytest.mark.anyio

SHORT = RedisOptions(wait_replicas=1, wait_timeout=timedelta(milliseconds=50))
LONG = replace(SHORT, wait_timeout=timedelta(seconds=10))

tasks = Tasks()


@tasks.task()
async def work() -> None:
    """Nothing."""


@pytest.fixture(params=["url", "client"])
async def store(
    replicated: ReplicatedRedis, request: pytest.FixtureRequest
) -> AsyncIterator[RedisJobStore]:
    """A store that waits for a replica, but not for long."""
    url = replicated.master.url
    async with Redis.from_url(url) as client:
        given = client if request.param == "client" else url
        async with RedisJobStore(given, SHORT) as store:
            yield store


@contextmanager
def standing_still(*replicas: RedisServer) -> Iterator[None]:
    for each in replicas:
        each.pause()
    try:
        yield
    finally:
        for each in replicas:
            each.go_on()


async def test_a_replica_has_what_was_inserted_and_what_has_ended(
    replicated: ReplicatedRedis,
) -> None:
    async with RedisJobStore(replicated.master.url, LONG) as store:
        jobs, states = (
            store._server.partitions.all[0].key(name) for name in ("jobs", "states")
        )
        for _ in range(20):
            claim = await a_claim(store)
            assert servers.run(replicated.replica.url, "HEXISTS", jobs, claim.job_id)
            assert await store.apply([complete(claim, b"1")]) == [Answer.APPLIED]
            told = servers.run(replicated.replica.url, "HGET", states, claim.job_id)
            assert b"completed" in told


async def test_a_job_stands_that_no_replica_has_in_time(
    store: RedisJobStore, replicated: ReplicatedRedis
) -> None:
    new = named(store, a_job())
    with standing_still(replicated.replica):
        with pytest.raises(NotReplicatedError, match=r"0 of 1 .* within 0.05 s"):
            await store.insert([new])
        assert (await current(store, new.id)).status is JobStatus.QUEUED
    assert not await until_replicated(store, new)


async def until_replicated(store: RedisJobStore, new: NewJob) -> bool:
    """Insert *new* until a replica has it; whether the last of it created the job."""
    while True:
        try:
            (answer,) = await store.insert([new])
        except NotReplicatedError:
            continue
        return answer.created


async def test_an_end_stands_that_no_replica_has_in_time(
    store: RedisJobStore, replicated: ReplicatedRedis
) -> None:
    claim = await a_claim(store)
    with standing_still(replicated.replica):
        with pytest.raises(NotReplicatedError):
            await store.apply([complete(claim, b"1")])
        job = await current(store, claim.job_id)
        assert job.status is JobStatus.COMPLETED


async def test_no_replica_is_waited_for_where_nothing_is_written(
    store: RedisJobStore, replicated: ReplicatedRedis
) -> None:
    with standing_still(replicated.replica):
        assert await store.apply([]) == []
        assert await store.insert([]) == []


async def test_a_tick_stands_that_no_replica_has_in_time(
    store: RedisJobStore, replicated: ReplicatedRedis
) -> None:
    told = ScheduleRecord(name="nightly", revision="1", data=b"")
    job = named(store, a_job())
    with standing_still(replicated.replica):
        for _ in range(2):
            with pytest.raises(NotReplicatedError):
                await store.fire(told, None, [job])
        assert await store.schedules() == [told]
        assert (await current(store, job.id)).status is JobStatus.QUEUED


async def test_a_repeat_over_a_connection_that_wrote_nothing_waits_as_well(
    replicated: ReplicatedRedis,
) -> None:
    url = replicated.master.url
    async with (
        RedisJobStore(url, SHORT) as store,
        RedisJobStore(url, SHORT) as other,
        RedisJobStore(url, SHORT) as third,
    ):
        new, claim = named(store, a_job()), await a_claim(store)
        end = complete(claim, b"1")
        with standing_still(replicated.replica):
            for each in (store, other):
                with pytest.raises(NotReplicatedError):
                    await each.insert([new])
            for each in (store, third):
                with pytest.raises(NotReplicatedError):
                    await each.apply([end])


async def test_claims_and_renewals_do_not_wait(
    store: RedisJobStore, replicated: ReplicatedRedis
) -> None:
    await inserted(store, a_job())
    with standing_still(replicated.replica):
        result = await store.claim(servers.a_request_of("default"))
        renewal = await store.renew(result.claims, servers.HOUR)
        assert not renewal.lost


async def test_a_server_that_forgot_its_scripts_waits_as_well(
    store: RedisJobStore, replicated: ReplicatedRedis
) -> None:
    servers.run(replicated.master.url, "SCRIPT FLUSH")
    await inserted(store, a_job())
    with standing_still(replicated.replica), pytest.raises(NotReplicatedError):
        await inserted(store, a_job())


async def test_the_manager_waits_on(replicated: ReplicatedRedis) -> None:
    tries, twice = list[StoreCall](), asyncio.Event()

    def observe(call: StoreCall) -> None:
        tries.append(call)
        if len(tries) == 2:
            twice.set()

    async with (
        InstrumentedStore(RedisJobStore(replicated.master.url, SHORT), observe) as seen,
        DefaultJobManager(seen) as jobs,
    ):
        with standing_still(replicated.replica):
            submitting = asyncio.create_task(jobs.submit(work.job()))
            await twice.wait()
            assert [type(each.error) for each in tries] == [NotReplicatedError] * 2
        assert not (await submitting).is_duplicate


async def test_the_manager_tells_who_submits_when_it_has_waited_enough(
    replicated: ReplicatedRedis,
) -> None:
    config = JobcoreConfig(store_retry_timeout=timedelta(seconds=0.2))
    async with (
        RedisJobStore(replicated.master.url, SHORT) as store,
        DefaultJobManager(store, config) as jobs,
    ):
        with standing_still(replicated.replica):
            with pytest.raises(NotReplicatedError):
                await jobs.submit(work.job())
            assert len((await jobs.find()).jobs) == 1


async def test_a_worker_keeps_its_reports_until_a_replica_has_them(
    replicated: ReplicatedRedis,
) -> None:
    runs, own, reported = list[str](), Tasks(), asyncio.Event()

    @own.task()
    async def count(name: str) -> None:
        runs.append(name)

    def observe(call: StoreCall) -> None:
        if call.verb == "apply" and isinstance(call.error, NotReplicatedError):
            reported.set()

    async with (
        InstrumentedStore(RedisJobStore(replicated.master.url, SHORT), observe) as seen,
        DefaultJobManager(seen) as jobs,
    ):
        submitted = [await jobs.submit(count.job(name)) for name in "abc"]
        with standing_still(replicated.replica):
            async with Worker(jobs, own):
                await reported.wait()
                replicated.replica.go_on()
                for each in submitted:
                    await jobs.result(each)
        assert sorted(runs) == ["a", "b", "c"]


async def test_each_partition_of_a_cluster_waits_for_its_own_replicas() -> None:
    cluster = servers.cluster()
    options = replace(
        servers.another_namespace(), wait_replicas=1, wait_timeout=LONG.wait_timeout
    )
    hasty = replace(options, wait_timeout=SHORT.wait_timeout)
    async with (
        RedisJobStore(cluster.url, options) as store,
        RedisJobStore(cluster.url, hasty) as other,
    ):
        await inserted(store, *(a_job() for _ in range(60)))
        jobs = [named(store, a_job()) for _ in range(60)]
        masters = cluster.masters()
        replicas = [each for each in cluster.servers if each not in masters]
        with standing_still(replicas[0]):
            with pytest.raises(NotReplicatedError):
                await other.insert(jobs)
            found = await store.get([each.id for each in jobs])
            assert all(found), "what follows in other partitions is stored as well"
        answers = await store.insert(jobs)
        assert not any(each.created for each in answers)
    cluster.until_whole()


async def test_a_cluster_that_has_moved_a_partition_is_asked_where_it_is() -> None:
    cluster = servers.cluster()
    options = replace(
        servers.another_namespace(), wait_replicas=1, wait_timeout=LONG.wait_timeout
    )
    async with RedisJobStore(cluster.url, options) as store:
        client: Any = store._server.usable()
        nodes = client.nodes_manager
        first, second = (nodes.slots_cache[slot] for slot in (0, 16383))
        for slot in nodes.slots_cache:
            is_first = nodes.slots_cache[slot] is first
            nodes.slots_cache[slot] = second if is_first else first
        await inserted(store, *(a_job() for _ in range(60)))
        assert (await store.verify()).sound


async def test_the_user_of_a_worker_may_wait() -> None:
    options = replace(servers.another_namespace(), wait_replicas=1)
    hasty = replace(options, wait_timeout=timedelta(milliseconds=1))
    async with RedisJobStore(servers.url_of_worker(options), hasty) as store:
        with pytest.raises(NotReplicatedError):
            await inserted(store, a_job())
