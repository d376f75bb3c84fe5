"""Several processes on one file, or on a server."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from jobcore.claim import ClaimRequest
from jobcore.job import JobStatus
from jobcore.testing import a_job, a_request, named
from jobcore_sql import SQLJobStore
from tests.jobcore_sql import mysql
from tests.jobcore_sql.processes import another, finished, heard, tell

pytestmark = pytest.mark.anyio

DRAIN = """
async with SQLJobStore(url) as store:
    say("ready")
    hear()
    calls = 0
    while True:
        calls += 1
        request = ClaimRequest(
            token=f"{name}-{calls}", worker=name, queues=("default",),
            limit=7, lease=timedelta(minutes=5),
        )
        claims = (await store.claim(request)).claims
        if not claims:
            break
        answers = await store.apply([complete(claim, b"1") for claim in claims])
        assert set(answers) == {Answer.APPLIED}
        for claim in claims:
            say(claim.job_id)
"""

OPEN = """
say("ready")
hear()
async with SQLJobStore(url) as store:
    new = NewJob(task="t", id=name)
    (inserted,) = await store.insert([new])
    assert inserted.created
"""

WRITE_WHEN_TOLD = """
async with SQLJobStore(url) as store:
    say("ready")
    while hear():
        await store.insert([NewJob(task="t", id=store.new_id(None))])
        say("written")
"""


@pytest.fixture(params=["file", pytest.param("mysql", marks=mysql.needed)])
async def shared(request: pytest.FixtureRequest, url: str) -> AsyncIterator[str]:
    """The URL of what is empty, and can be shared by processes."""
    if request.param == "file":
        yield url
        return
    async with mysql.an_empty_database("shared") as server_url:
        yield server_url


async def test_eight_processes_open_an_empty_database_at_the_same_time(
    shared: str,
) -> None:
    async with AsyncExitStack() as stack:
        others = [
            await stack.enter_async_context(another(OPEN, shared, f"job-{each}"))
            for each in range(8)
        ]
        for each in others:
            assert await heard(each) == "ready"
        for each in others:
            tell(each)
        await asyncio.gather(*map(finished, others))
    async with SQLJobStore(shared) as store:
        assert (await store.statistics()).count(JobStatus.QUEUED) == 8
        assert (await store.verify()).sound


async def test_eight_processes_start_each_job_once(shared: str) -> None:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(SQLJobStore(shared))
        ids = [named(store, a_job()) for _ in range(2000)]
        await store.insert(ids)
        others = [
            await stack.enter_async_context(another(DRAIN, shared, f"worker-{each}"))
            for each in range(8)
        ]
        for each in others:
            assert await heard(each) == "ready"
        for each in others:
            tell(each)
        said = await asyncio.gather(*map(finished, others))
        started = Counter(job_id for each in said for job_id in each.split())
        assert started == Counter(each.id for each in ids)
        statistics = await store.statistics()
        assert statistics.count(JobStatus.COMPLETED) == 2000
        assert (await store.verify()).sound


async def test_wait_is_woken_by_another_process(store: SQLJobStore, url: str) -> None:
    async with another(WRITE_WHEN_TOLD, url) as other:
        assert await heard(other) == "ready"
        waiting = asyncio.create_task(
            store.wait(("default",), "worker", timedelta(minutes=5))
        )
        tell(other, "write")
        assert await heard(other) == "written"
        await asyncio.wait_for(waiting, timeout=10)


async def test_a_cancellation_storm_leaves_the_file_writable(
    store: SQLJobStore, url: str
) -> None:
    async def work(number: int) -> None:
        await store.insert([named(store, a_job()) for _ in range(20)])
        await store.claim(a_request(limit=10))
        await store.apply([])
        await store.promote(number)

    async with another(WRITE_WHEN_TOLD, url) as other:
        assert await heard(other) == "ready"
        for number in range(60):
            tasks = [asyncio.create_task(work(number)) for _ in range(3)]
            for _ in range(number):
                await asyncio.sleep(0)
            await store.statistics()
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        started = time.monotonic()
        tell(other, "write")
        assert await heard(other) == "written"
        assert time.monotonic() - started < 1
    assert (await store.verify()).sound


async def test_an_empty_claim_does_not_wait_for_a_writer(
    store: SQLJobStore, url: str
) -> None:
    hold = """
import sqlite3
database = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))
database.execute("BEGIN IMMEDIATE")
say("locked")
hear()
database.close()
"""
    async with another(hold, url) as other:
        assert await heard(other) == "locked"
        request: ClaimRequest = a_request()
        async with asyncio.timeout(10):
            assert (await store.claim(request)).claims == ()
            assert (await store.promote(10)).promoted == 0
            assert await store.lift(None, 10) == 0
            await store.statistics()
        tell(other)
        await finished(other)
