"""Several stores that share schedules, and whose clocks do not agree."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from jobcore import (
    DefaultJobManager,
    Every,
    Filter,
    JobRequest,
    JobStatus,
    Misfire,
    ScheduleRecord,
    StoreError,
    WorkerRecord,
)
from jobcore.testing import a_job, named
from jobcore_sql import SQLJobStore
from tests.jobcore_sql import mysql, postgresql

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
TICKS = 50
NAMES = ("a", "b", "c", "d", "e")
CLOCKS = (-HOUR, timedelta(0), HOUR, HOUR)
"""How far that of each store is off: two are the first to see a tick."""


@pytest.fixture(
    params=["file", *postgresql.SERVERS, pytest.param("mysql", marks=mysql.needed)]
)
async def shared(request: pytest.FixtureRequest, url: str) -> AsyncIterator[str]:
    """The URL of what is empty, and can be shared."""
    if request.param == "file":
        yield url
    elif request.param == "mysql":
        async with mysql.an_empty_database("schedules") as server_url:
            yield server_url
    else:
        async with postgresql.empty_store(request.param):
            yield postgresql.url(request.param)


async def test_fire_leaves_a_schedule_whose_job_is_refused(shared: str) -> None:
    first = ScheduleRecord(name="nightly", revision="1", data=b"{}")
    async with SQLJobStore(shared) as store:
        await store.fire(first, None, [])
        nameless = a_job(id="")
        with pytest.raises(StoreError):
            await store.fire(replace(first, revision="2"), "1", [nameless])
        with pytest.raises(StoreError):
            await store.fire(replace(first, name="hourly"), None, [nameless])
        assert await store.schedules() == [first]


async def test_one_of_many_enters_a_schedule(shared: str) -> None:
    async with SQLJobStore(shared) as store, SQLJobStore(shared) as other:
        for name in NAMES:
            job = named(store, a_job())
            first = ScheduleRecord(name=name, revision="", data=b"{}")
            tries = [replace(first, revision=str(n)) for n in range(8)]
            entering = (
                (store, other)[n % 2].fire(each, None, [job])
                for n, each in enumerate(tries)
            )
            answers = await asyncio.gather(*entering)
            (entered,) = [
                each
                for each, answer in zip(tries, answers, strict=True)
                if answer is not None
            ]
            assert await store.schedules([name]) == [entered]
        assert (await store.statistics()).count(JobStatus.QUEUED) == len(NAMES)


async def test_each_tick_makes_one_job_whatever_clocks_show(shared: str) -> None:
    hourly = Every(HOUR, misfire=Misfire.ALL, max_runs=TICKS)
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(SQLJobStore(shared)) for _ in CLOCKS]
        managers = [
            await stack.enter_async_context(DefaultJobManager(each)) for each in stores
        ]
        await stores[0].seen(WorkerRecord(id="worker", tasks=("greet",)), 999 * HOUR)
        for each in NAMES:
            await managers[0].schedule(each, JobRequest("greet", {}), hourly)
        made = 0
        for step in range(TICKS + 1):
            for store, off in zip(stores, CLOCKS, strict=True):
                store.offset = step * HOUR + off
            fired = await asyncio.gather(
                *(each.fire_due_schedules() for each in managers)
            )
            made += sum(each.jobs for each in fired)
        assert made == TICKS * len(NAMES)
        for schedule in await managers[0].schedules():
            expected = (schedule.created_at + n * HOUR for n in range(1, TICKS + 1))
            page = await stores[0].find(
                Filter(labels={"schedule": schedule.name}), None, 2 * TICKS
            )
            ticks = Counter(job.labels["tick"] for job in page.jobs)
            assert ticks == Counter(each.isoformat() for each in expected)
            assert (schedule.runs, schedule.due_at) == (TICKS, None)
        assert (await stores[0].verify()).sound
