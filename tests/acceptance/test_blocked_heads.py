"""Jobs that may not start at the head of a queue keep nothing else from starting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from jobcore import (
    DefaultJobManager,
    JobcoreConfig,
    JobRequest,
    JobStore,
    Limit,
    store_from_url,
)

pytestmark = pytest.mark.anyio

BLOCKED, OTHERS, BATCH = 20_000, 80_000, 100
BOUND = 4 * BATCH + 64


@pytest.fixture(params=[pytest.param("memory", marks=pytest.mark.slow), "sqlite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[JobStore]:
    file = f"sqlite+aiosqlite:///{tmp_path}/jobs.db"
    url = file if request.param == "sqlite" else "memory://"
    async with store_from_url(url) as opened:
        yield opened


@pytest.fixture
async def jobs(store: JobStore) -> AsyncIterator[DefaultJobManager]:
    async with DefaultJobManager(store, JobcoreConfig()) as manager:
        yield manager


async def claims_until_other_work(jobs: DefaultJobManager) -> int:
    """How many claims it takes until one brings a job of the task `other`."""
    for number in range(1, 300):
        result = await jobs.claim("worker", ["default"], BATCH)
        assert result.examined <= BOUND
        if any(claim.job.task == "other" for claim in result.claims):
            return number
        assert result.bounded or len(result.claims) == BATCH, "a pause would follow"
        rest = timedelta(minutes=5)
        await asyncio.gather(*(jobs.release(each, rest) for each in result.claims))
    raise AssertionError


@pytest.mark.timeout(300)
async def test_a_full_key(jobs: DefaultJobManager) -> None:
    full = JobRequest("limited")
    one = Limit(concurrency=1)
    await jobs.submit(full, limit_key="full", limit=one)
    assert (await jobs.claim("other", ["default"], 1)).claims
    await jobs.submit_many([full] * BLOCKED, limit_key="full", limit=one)
    await jobs.submit_many([JobRequest("other")] * OTHERS)
    assert await claims_until_other_work(jobs) <= 44


@pytest.mark.timeout(300)
async def test_a_paused_task(jobs: DefaultJobManager) -> None:
    await jobs.submit_many([JobRequest("paused")] * BLOCKED)
    await jobs.submit_many([JobRequest("other")] * OTHERS)
    await jobs.pause(task="paused")
    assert await claims_until_other_work(jobs) <= 44


@pytest.mark.timeout(300)
async def test_a_task_that_the_worker_lacks(jobs: DefaultJobManager) -> None:
    await jobs.submit_many([JobRequest("missing")] * BLOCKED)
    await jobs.submit_many([JobRequest("other")] * OTHERS)
    assert await claims_until_other_work(jobs) <= 201
