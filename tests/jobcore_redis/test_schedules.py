"""Schedules across partitions, and by clocks that differ."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

import pytest

from jobcore import (
    DefaultJobManager,
    Every,
    Filter,
    JobRequest,
    Limit,
    Misfire,
    NewJob,
    Overlap,
    ScheduleRecord,
    Tick,
    WorkerRecord,
)
from jobcore.testing import a_job, found, inserted, pass_time
from jobcore_redis import RedisJobStore
from tests.jobcore_redis import servers

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NIGHTLY = ScheduleRecord(name="nightly", revision="first", data=b"data")
GREET = JobRequest("greet", {})
ONE = Limit(concurrency=1)
SKEWS = (-HOUR, -HOUR / 2, timedelta(0), HOUR / 2, HOUR)


@pytest.fixture
async def store() -> AsyncIterator[RedisJobStore]:
    options = replace(servers.another_namespace(), partitions=5)
    async with servers.empty_store("6.2", options) as store:
        yield store
        assert (await store.verify()).sound


def tick_job(store: RedisJobStore, number: int = 1, **fields: object) -> NewJob:
    job = a_job(**fields)
    return job.named(store.new_id(job, Tick("nightly", NOON + number * HOUR)))


def is_near(store: RedisJobStore, job: NewJob) -> bool:
    partitions = store._server.partitions
    return partitions.of(job.id) is partitions.of_schedule("nightly")


def far_job(store: RedisJobStore, number: int = 1, **fields: object) -> NewJob:
    """A job of a tick that lies elsewhere, for its limit key."""
    jobs = (tick_job(store, number, limit_key=f"l{n}", **fields) for n in count())
    return next(each for each in jobs if not is_near(store, each))


async def test_jobs_of_a_tick_are_answered_in_their_order(store: RedisJobStore) -> None:
    near, waiting = tick_job(store, 1), tick_job(store, 2, limit_key="schedule:nightly")
    assert is_near(store, near)
    assert is_near(store, waiting)
    keyed = tick_job(store, 3, unique_key="schedule:nightly")
    jobs = [far_job(store, 4), near, keyed, waiting, far_job(store, 5)]
    answers = await store.fire(NIGHTLY, None, jobs)
    assert answers is not None
    assert [each.job.id for each in answers] == [each.id for each in jobs]
    assert all(each.created for each in answers)
    again = await store.fire(NIGHTLY, None, jobs)
    assert again is not None
    assert [each.job.id for each in again] == [each.id for each in jobs]
    assert not any(each.created for each in again)


async def test_jobs_that_lie_elsewhere_do_not_come_in_for_another_revision(
    store: RedisJobStore,
) -> None:
    await store.fire(NIGHTLY, None, [])
    second = replace(NIGHTLY, revision="second")
    for expected in (None, "other"):
        assert await store.fire(second, expected, [far_job(store)]) is None
    assert await found(store) == []
    assert await store.fire(second, "first", [far_job(store)])


async def test_who_is_interrupted_leaves_a_job_that_the_next_one_meets(
    store: RedisJobStore,
) -> None:
    await store.fire(NIGHTLY, None, [])
    job, other = far_job(store, unique_key="k"), tick_job(store, 2)
    await inserted(store, job)
    second = replace(NIGHTLY, revision="second")
    answers = await store.fire(second, "first", [job, other])
    assert answers is not None
    assert [each.created for each in answers] == [False, True]
    assert {each.id for each in await found(store)} == {job.id, other.id}


async def test_a_unique_key_that_is_held_elsewhere_lets_the_tick_pass(
    store: RedisJobStore,
) -> None:
    keyed = (tick_job(store, 2, unique_key=f"k{n}") for n in count())
    second = next(each for each in keyed if is_near(store, each))
    first = far_job(store, 1, unique_key=second.unique_key)
    await store.fire(NIGHTLY, None, [first])
    later = replace(NIGHTLY, revision="second")
    answers = await store.fire(later, "first", [second])
    assert answers is not None
    assert (answers[0].created, answers[0].job.id) == (False, first.id)
    assert await store.schedules() == [later]


async def test_unschedule_leaves_nothing_due(store: RedisJobStore) -> None:
    now = (await store.due_schedules(1)).now
    await store.fire(replace(NIGHTLY, due_at=now + HOUR), None, [])
    assert await store.unschedule("nightly")
    assert (await store.due_schedules(1)).next_due_in is None


async def test_schedules_of_all_partitions_are_found(store: RedisJobStore) -> None:
    now = (await store.due_schedules(1)).now
    names = [f"s{number:04}" for number in range(1200)]
    for number, name in enumerate(reversed(names)):
        due_at = now + number * timedelta(minutes=1)
        await store.fire(replace(NIGHTLY, name=name, due_at=due_at), None, [])
    assert [each.name for each in await store.schedules()] == names
    assert [each.name for each in await store.schedules(names)] == names
    pass_time(store, 100 * timedelta(minutes=1) - timedelta(seconds=20))
    due = await store.due_schedules(60)
    assert [each.name for each in due.schedules] == names[:-61:-1]
    assert due.next_due_in == timedelta(0)
    due = await store.due_schedules(1200)
    assert [each.name for each in due.schedules] == names[:-101:-1]
    assert due.next_due_in is not None
    assert timedelta(0) < due.next_due_in < timedelta(seconds=21)


@pytest.mark.parametrize("server", ["6.2", "cluster"])
async def test_managers_whose_clocks_differ_make_one_job_for_each_tick(
    server: str,
) -> None:
    draw, ticks = Random(7), 50
    elsewhere = GREET.with_options(limit_key="acme", limit=ONE)
    every = Every(HOUR, misfire=Misfire.ALL)
    wanted = {
        "plain": (GREET, every),
        "waiting": (GREET, replace(every, overlap=Overlap.WAIT)),
        "limited": (elsewhere, every),
        "spread": (GREET, replace(every, jitter=HOUR)),
        "both": (elsewhere, replace(every, jitter=HOUR)),
    }
    async with AsyncExitStack() as opened:
        opening = await opened.enter_async_context(servers.opening(server))
        stores = [await opened.enter_async_context(opening()) for _ in range(5)]
        managers = [
            await opened.enter_async_context(DefaultJobManager(each)) for each in stores
        ]
        worker = WorkerRecord(id="worker", tasks=("greet",))
        await stores[0].seen(worker, expires_in=2 * ticks * HOUR)
        made = {
            name: await managers[0].schedule(name, request, recurrence)
            for name, (request, recurrence) in wanted.items()
        }
        for step in range(1, ticks + 1):
            for each in stores:
                each.offset = step * HOUR + draw.choice(SKEWS)
            await asyncio.gather(*(each.fire_due_schedules() for each in managers))
        stores[0].offset = (ticks + 1) * HOUR
        await managers[0].fire_due_schedules()
        told = defaultdict[str, list[str]](list)
        for job in await found(stores[0], Filter()):
            told[job.labels["schedule"]].append(job.labels["tick"])
        for name, schedule in made.items():
            instants = [
                (schedule.created_at + number * HOUR).isoformat()
                for number in range(1, ticks + 2)
            ]
            assert sorted(told[name]) == instants
        assert (await stores[0].verify()).findings == {}
