"""What somebody's hand has spoiled is told as an error of the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from jobcore import Filter, ScheduleRecord, StoreError, WorkerRecord
from jobcore.testing import a_claim, a_job, inserted, pass_time
from jobcore_redis import RedisJobStore
from tests.jobcore_redis import servers

pytestmark = pytest.mark.anyio

HEAD = b"0" * 16 + b"\t" + b"0" * 16 + b"\tq\t--\t32768\tdefault\tgreet\t\t::\t\t"
EVERYTHING = Filter()

Ask = Callable[[RedisJobStore, str], Awaitable[object]]


def get(store: RedisJobStore, job_id: str) -> Awaitable[object]:
    return store.get([job_id], attempts=True)


def find(store: RedisJobStore, _: str) -> Awaitable[object]:
    return store.find(EVERYTHING, None, 9)


def expired(store: RedisJobStore, _: str) -> Awaitable[object]:
    return store.expired(9)


def workers(store: RedisJobStore, _: str) -> Awaitable[object]:
    return store.workers()


def schedules(store: RedisJobStore, _: str) -> Awaitable[object]:
    return store.schedules()


def due_schedules(store: RedisJobStore, _: str) -> Awaitable[object]:
    return store.due_schedules(9)


def statistics(store: RedisJobStore, _: str) -> Awaitable[object]:
    return store.statistics()


def verify(store: RedisJobStore, _: str) -> Awaitable[object]:
    return store.verify()


@pytest.mark.parametrize(
    ("kind", "name", "value", "ask"),
    [
        ("jobs", None, b"spoiled", get),
        ("jobs", None, b"spoiled", find),
        ("jobs", None, HEAD + b"\nno JSON\npayload", get),
        ("states", None, b"spoiled", get),
        ("states", None, b"spoiled", expired),
        ("attempts", None, b"spoiled", get),
        ("workers", "worker", b"9" * 32 + b"spoiled", workers),
        ("schedules", "hourly", b"spoiled", schedules),
        ("schedules", "hourly", b"soon\tfirst\tdata", schedules),
        ("schedules", "hourly", b"spoiled", due_schedules),
        ("counts", "default\tspoiled", 1, statistics),
        ("counts", "default\tqueued", b"spoiled", statistics),
        ("counts", "default\tqueued", b"spoiled", verify),
    ],
)
async def test_what_is_spoiled_is_told(
    kind: str, name: str | None, value: Any, ask: Ask
) -> None:
    async with servers.empty_store("6.2") as store:
        await store.seen(WorkerRecord(id="worker"), servers.HOUR)
        due_at = (await store.due_schedules(1)).now
        hourly = ScheduleRecord(name="hourly", revision="1", data=b"", due_at=due_at)
        await store.fire(hourly, None, [])
        claim = await a_claim(store)
        pass_time(store, 2 * servers.HOUR)
        key = store._server.partitions.all[0].key(kind)
        servers.run(servers.url("6.2"), "HSET", key, name or claim.job_id, value)
        with pytest.raises(StoreError, match="not of this release") as told:
            await ask(store, claim.job_id)
        assert type(told.value) is StoreError


async def test_what_is_claimed_and_spoiled_is_told() -> None:
    async with servers.empty_store("6.2") as store:
        (job,) = await inserted(store, a_job())
        key = store._server.partitions.all[0].key("jobs")
        spoiled = HEAD + b"\nno JSON\npayload"
        servers.run(servers.url("6.2"), "HSET", key, job.id, spoiled)
        with pytest.raises(StoreError, match="not of this release"):
            await store.claim(servers.a_request_of("default"))


async def test_a_number_of_partitions_that_is_spoiled_is_told() -> None:
    options = servers.another_namespace()
    key = f"{options.prefix}:{options.namespace}:partitions"
    servers.run(servers.url("6.2"), "SET", key, "some")
    with pytest.raises(StoreError, match="not of this release"):
        async with RedisJobStore(servers.url("6.2"), options):
            pass


async def test_a_spoiled_schedule_is_replaced_by_nothing_and_may_be_removed() -> None:
    async with servers.empty_store("6.2") as store:
        key = store._server.partitions.all[0].key("schedules")
        servers.run(servers.url("6.2"), "HSET", key, "hourly", b"spoiled")
        assert (await store.verify()).findings == {"schedules": ("schedule hourly",)}
        told = ScheduleRecord(name="hourly", revision="1", data=b"")
        assert await store.fire(told, None, [a_job(id="1")]) is None
        assert await store.get(["1"]) == [None]
        assert await store.unschedule("hourly")
        assert (await store.verify()).sound
