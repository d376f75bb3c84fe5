"""What the kit cannot know: the file itself, and who may use it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from jobcore import (
    Filter,
    JobStatus,
    Limit,
    NewJob,
    Paused,
    QueueControl,
    ScheduleRecord,
    ScheduleStore,
    StoreError,
    StoreNotOpenError,
)
from jobcore.testing import a_job, a_request, claimed, found, inserted
from jobcore_lmdb import LMDBJobStore, PlainLMDBJobStore

pytestmark = pytest.mark.anyio

INSERT_FOR_EVER = """
import asyncio, sys
from jobcore import NewJob
from jobcore_lmdb import LMDBJobStore

async def main():
    async with LMDBJobStore(sys.argv[1]) as store:
        while True:
            job = NewJob(task="greet", id=store.new_id(NewJob(task="greet")))
            await store.insert([job])
            print(job.id, flush=True)

asyncio.run(main())
"""

CLAIM_ALL = """
import asyncio, sys
from jobcore.testing import claimed
from jobcore_lmdb import LMDBJobStore

async def main():
    async with LMDBJobStore(sys.argv[1]) as store:
        while claims := await claimed(store, 3):
            print(*(claim.job_id for claim in claims), sep="\\n")

asyncio.run(main())
"""


@pytest.fixture
async def store(url: str) -> AsyncIterator[LMDBJobStore]:
    async with LMDBJobStore(url) as store:
        yield store


def program(text: str, url: str) -> subprocess.Popen[str]:
    """A process that uses the file as well."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(  # noqa: S603 - our own text
        [sys.executable, "-c", text, url],
        stdout=subprocess.PIPE,
        text=True,
        env=variables,
    )


async def test_a_job_survives_the_death_of_its_process(url: str) -> None:
    with program(INSERT_FOR_EVER, url) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(50)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split()
    async with LMDBJobStore(url) as store:
        assert {job.id for job in await found(store)} >= set(told)
        statistics = await store.statistics()
        assert statistics.count(JobStatus.QUEUED) == len(await found(store))


async def test_a_job_goes_to_one_of_several_processes(url: str) -> None:
    async with LMDBJobStore(url) as store:
        jobs = await inserted(store, *(a_job() for _ in range(200)))
        processes = [program(CLAIM_ALL, url) for _ in range(3)]
        told = [await asyncio.to_thread(each.communicate) for each in processes]
    ids = [job_id for output, _ in told for job_id in output.split()]
    assert sorted(ids) == sorted(job.id for job in jobs)


async def test_pauses_and_limits_last(url: str) -> None:
    async with LMDBJobStore(url) as store:
        await store.pause(queue="mail", task="greet")
        await store.limit("acme", Limit(concurrency=0))
        await inserted(store, a_job(task="send", limit_key="acme"))
    async with LMDBJobStore(url) as store:
        paused = Paused(frozenset({"mail"}), frozenset({"greet"}))
        assert await store.paused() == paused
        assert (await store.claim(a_request())).held == 1


async def test_schedules_last(url: str) -> None:
    nightly = ScheduleRecord(name="nightly", revision="first", data=b"{}")
    async with LMDBJobStore(url) as store:
        await store.fire(nightly, None, [])
    async with LMDBJobStore(url) as store:
        assert await store.schedules() == [nightly]


async def test_the_plain_store_has_no_abilities(url: str) -> None:
    assert PlainLMDBJobStore(url).ability(QueueControl) is None
    assert PlainLMDBJobStore(url).ability(ScheduleStore) is None


async def test_a_page_looks_at_a_bounded_number_of_jobs(store: LMDBJobStore) -> None:
    await inserted(store, *(a_job() for _ in range(1100)), a_job(queue="rare"))
    page = await store.find(Filter(queue="default", task="absent"), None, 10)
    assert page.jobs == ()
    assert page.cursor is not None
    assert await found(store, Filter(task="absent")) == []


async def test_a_call_that_is_cancelled_leaves_the_store_whole(
    store: LMDBJobStore,
) -> None:
    calls = [asyncio.ensure_future(inserted(store, a_job())) for _ in range(50)]
    await asyncio.sleep(0.002)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await inserted(store, a_job())
    count = (await store.statistics()).count(JobStatus.QUEUED)
    assert count == len(await found(store)) >= 1
    assert len(await claimed(store, 100)) == count


async def test_a_full_file_refuses_and_loses_nothing(url: str) -> None:
    async with LMDBJobStore(url, size=2**18, sync=False) as store:
        kept = await inserted(store, a_job())
        with pytest.raises(StoreError, match="MAP_FULL"):
            await inserted(store, a_job(payload=b"0" * 2**18))
        assert await found(store) == kept


async def test_a_file_is_opened_once_in_a_process(
    store: LMDBJobStore, url: str
) -> None:
    with pytest.raises(StoreError, match="already open"):
        async with LMDBJobStore(url):
            pass
    with pytest.raises(StoreNotOpenError):
        await store.__aenter__()
    assert await store.insert([NewJob(task="greet", id="a")])


async def test_a_store_is_refused_in_another_event_loop(store: LMDBJobStore) -> None:
    def elsewhere() -> None:
        asyncio.run(store.statistics())

    with pytest.raises(StoreNotOpenError):
        await asyncio.to_thread(elsewhere)


@pytest.mark.parametrize(
    "url", ["lmdb://", "lmdb:///", "lmdb://host/jobs", "lmdb:///jobs?size=9"]
)
async def test_a_url_must_name_a_file(url: str) -> None:
    with pytest.raises(StoreError, match="lmdb:///"):
        LMDBJobStore(url)


async def test_a_folder_that_is_not_there_is_refused() -> None:
    with pytest.raises(StoreError, match="No such file"):
        async with LMDBJobStore("lmdb:////nowhere/jobs.lmdb"):
            pass
