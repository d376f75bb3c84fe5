"""Waiting for a job to end, and what its end means to whoever waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from jobcore import (
    DefaultJobManager,
    Job,
    JobCanceledError,
    JobFailedError,
    JobRequest,
    awaiting,
    never,
)
from tests.jobcore.faults import FaultyStore

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def test_result_is_woken_by_the_end_of_the_job(
    store: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "_FIRST_PAUSE", HOUR.total_seconds())
    async with DefaultJobManager(store) as jobs:
        job = await jobs.submit(JobRequest("greet"))
        (claim,) = (await jobs.claim("worker", ("default",), 1)).claims
        waiting = [asyncio.create_task(jobs.result(job, HOUR)) for _ in range(3)]
        for _ in range(20):
            await asyncio.sleep(0)
        await jobs.complete(claim, 7)
        assert await asyncio.gather(*waiting) == [7, 7, 7]


async def test_result_raises_how_the_job_ended_else(jobs: DefaultJobManager) -> None:
    failed: Job[Any] = await jobs.submit(JobRequest("greet"))
    (claim,) = (await jobs.claim("worker", ("default",), 1)).claims
    await jobs.fail(claim, ValueError("no"), retry=never())
    with pytest.raises(JobFailedError) as failure:
        await jobs.result(failed)
    assert (failure.value.error_type, failure.value.message) == ("ValueError", "no")
    assert (failure.value.code, failure.value.job_id) == ("job_failed", failed.id)
    canceled: Job[Any] = await jobs.submit(JobRequest("greet"))
    await jobs.cancel(canceled)
    with pytest.raises(JobCanceledError) as off:
        await jobs.result(canceled)
    assert (off.value.code, off.value.job_id) == ("job_canceled", canceled.id)
