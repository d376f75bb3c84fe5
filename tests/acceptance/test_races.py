"""Who calls a job off and who starts it: one of them wins, and the other knows."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from jobcore import (
    DefaultJobManager,
    Job,
    JobConflictError,
    JobcoreConfig,
    JobRequest,
    JobStatus,
    Limit,
    Tasks,
    Verifiable,
    Worker,
    open_manager,
    store_from_url,
)
from tests.acceptance.hosts import Hosts
from tests.acceptance.stores import url

pytestmark = pytest.mark.anyio

__all__ = ["url"]

NOOP = JobRequest("noop")
RATE = 100
PACE = Limit(rate=RATE, period=timedelta(seconds=1), burst=5)
PACED = JobRequest("alone").with_options(limit_key="paced", limit=PACE)
BATCH = 250
SOAK = pytest.mark.soak


async def run_all(jobs: DefaultJobManager, ran: Counter[str]) -> None:
    """Claim and complete until nothing is queued any more."""
    while claims := (await jobs.claim("worker", ["default"], 5)).claims:
        ran.update(claim.job_id for claim in claims)
        await asyncio.gather(*(jobs.complete(claim) for claim in claims))


async def call_off(jobs: DefaultJobManager, job: Job) -> JobStatus | None:
    try:
        return await jobs.cancel(job)
    except JobConflictError:
        return None


@pytest.mark.timeout(900)
@pytest.mark.parametrize("races", [1000, pytest.param(10_000, marks=SOAK)])
async def test_a_job_is_either_canceled_or_run(url: str, races: int) -> None:
    ran = Counter[str]()
    async with open_manager(url) as one, open_manager(url) as other:
        for _ in range(races // BATCH):
            submitted = await one.submit_many([NOOP] * BATCH)
            # From the other end of the line, so that both get some.
            cancels = (call_off(other, job) for job in reversed(submitted))
            answers, _ = await asyncio.gather(
                asyncio.gather(*cancels), run_all(one, ran)
            )
            for job, answer in zip(reversed(submitted), answers, strict=True):
                status = (await one.get(job)).status
                if answer is JobStatus.CANCELED:
                    assert (status, ran[job.id]) == (JobStatus.CANCELED, 0)
                else:
                    assert (status, ran[job.id]) == (JobStatus.COMPLETED, 1)
        statistics = await one.statistics()
    canceled = statistics.count(JobStatus.CANCELED)
    assert canceled + statistics.count(JobStatus.COMPLETED) == races
    assert 0 < canceled < races, "both won at times"
    async with store_from_url(url) as store:
        verifiable = store.ability(Verifiable)
        assert verifiable is not None
        assert (await verifiable.verify()).sound


async def test_a_running_job_that_is_called_off_elsewhere_ends_at_once(
    url: str,
) -> None:
    """Long before its lease is renewed, or anybody polls, where a hint can reach it."""
    if url.startswith(("mysql", "mariadb")):
        pytest.skip("no hint reaches other processes there")
    patient = JobcoreConfig(
        job_claim_timeout=timedelta(hours=1), job_polling_interval=timedelta(minutes=5)
    )
    started, ended = asyncio.Event(), asyncio.Event()
    tasks = Tasks()

    @tasks.task()
    async def sleep() -> None:
        started.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async with (
        open_manager(url, patient) as jobs,
        Worker(jobs, tasks),
        open_manager(url) as elsewhere,
    ):
        job = await elsewhere.submit(sleep.job())
        await started.wait()
        await elsewhere.cancel(job)
        async with asyncio.timeout(30):
            await ended.wait()


@pytest.mark.timeout(300)
async def test_a_rate_holds_in_any_window_whoever_claims(url: str) -> None:
    """By the instants that the store gives to starts, of which eight claim at once."""
    async with AsyncExitStack() as stack:
        managers = [
            await stack.enter_async_context(open_manager(url)) for _ in range(8)
        ]
        await managers[0].submit_many([PACED] * 200)

        async def work(jobs: DefaultJobManager, number: int) -> None:
            while await completed(jobs) < 200:
                for claim in (await jobs.claim(f"{number}", ["default"], 10)).claims:
                    await jobs.complete(claim)
                await jobs.promote_due_jobs()

        await asyncio.gather(*(work(jobs, n) for n, jobs in enumerate(managers)))
        assert await greatest_excess(managers[0], 200) <= 0


@SOAK
@pytest.mark.timeout(300)
async def test_a_rate_holds_in_any_window_of_eight_processes(
    url: str, tmp_path: Path
) -> None:
    hosts = Hosts(url, tmp_path / "journal")
    async with open_manager(url) as jobs:
        try:
            for _ in range(8):
                await hosts.start()
            while len(await jobs.workers()) < 8:  # noqa: ASYNC110 - other processes come
                await asyncio.sleep(0.05)
            await jobs.submit_many([PACED] * 1000)
            while await completed(jobs) < 1000:  # noqa: ASYNC110 - other processes end jobs
                await asyncio.sleep(0.05)
        finally:
            await hosts.kill_all()
        assert await greatest_excess(jobs, 1000) <= 0


async def completed(jobs: DefaultJobManager) -> int:
    return (await jobs.statistics()).count(JobStatus.COMPLETED)


async def greatest_excess(jobs: DefaultJobManager, number: int) -> float:
    """By how many starts the worst of all windows has more than its limit and burst,
    where that is more than rounding."""
    page = await jobs.find()
    started = [job.started_at for job in page.jobs if job.started_at]
    while page.cursor is not None:
        page = await jobs.find(cursor=page.cursor)
        started += [job.started_at for job in page.jobs if job.started_at]
    started.sort()
    assert len(started) == number
    return max(
        last - first + 1 - PACE.burst - (end - begin) / PACE.period * RATE - 1e-3
        for first, begin in enumerate(started)
        for last, end in enumerate(started[first:], first)
    )
