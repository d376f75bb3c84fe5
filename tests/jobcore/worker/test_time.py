"""Limits of time beyond an attempt: a deadline over all of them, and a late start."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from jobcore import (
    Job,
    JobCanceledError,
    JobFailedError,
    JobStatus,
    Outcome,
    Tasks,
    Worker,
    fixed,
)
from tests.jobcore.worker.conftest import Host, until

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
SOON = timedelta(milliseconds=50)


def sleeping(tasks: Tasks) -> asyncio.Event:
    """A task that sleeps until it is cancelled, which the event tells."""
    cancelled = asyncio.Event()

    @tasks.task(max_retries=9, retry=fixed(timedelta(0)))
    async def sleep() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    return cancelled


async def failed(host: Host, job: Job) -> Job:
    with pytest.raises(JobFailedError):
        await host.jobs.result(job)
    return await host.jobs.get(job, attempts=True)


async def test_an_attempt_is_cancelled_at_the_deadline_and_not_retried(
    host: Host,
) -> None:
    cancelled = sleeping(host.tasks)
    async with Worker(host.jobs, host.tasks):
        request = host.tasks["sleep"].job()
        job = await host.jobs.submit(request, deadline=SOON, timeout=HOUR)
        job = await failed(host, job)
    assert cancelled.is_set()
    assert (job.reason, job.outcome, job.attempt) == ("deadline", "timed_out", 1)
    assert job.failure is not None
    assert "took longer than its deadline allows" in job.failure.message


async def test_a_shorter_timeout_is_retried_until_the_deadline(host: Host) -> None:
    sleeping(host.tasks)
    async with Worker(host.jobs, host.tasks):
        request = host.tasks["sleep"].job()
        job = await host.jobs.submit(request, deadline=6 * SOON, timeout=2 * SOON)
        job = await failed(host, job)
    assert job.reason == "deadline"
    assert 2 <= job.attempt <= 4


async def test_no_retry_is_begun_that_would_come_too_late(host: Host) -> None:
    @host.tasks.task(max_retries=9, retry=fixed(HOUR))
    async def fail() -> None:
        raise ValueError("no")

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(fail.job(), deadline=HOUR / 9)
        job = await failed(host, job)
    assert (job.reason, job.outcome, job.attempt) == ("deadline", "failed", 1)


async def test_a_job_that_comes_after_its_deadline_is_not_run(host: Host) -> None:
    cancelled = sleeping(host.tasks)
    job = await host.jobs.submit(host.tasks["sleep"].job(), deadline=HOUR)
    host.store.offset = HOUR
    async with Worker(host.jobs, host.tasks):
        job = await failed(host, job)
    assert not cancelled.is_set()
    assert job.reason == "deadline"


async def test_a_job_that_was_not_started_in_time_is_canceled(host: Host) -> None:
    cancelled = sleeping(host.tasks)
    request = host.tasks["sleep"].job()
    job = await host.jobs.submit(request, delay=HOUR, expires_in=HOUR)
    host.store.offset = 2 * HOUR + timedelta(seconds=1)
    await host.jobs.promote_due_jobs()
    async with Worker(host.jobs, host.tasks):
        with pytest.raises(JobCanceledError):
            await host.jobs.result(job)
    job = await host.jobs.get(job)
    assert not cancelled.is_set()
    assert (job.status, job.reason) == (JobStatus.CANCELED, "expired")
    assert job.outcome is Outcome.CANCELED


async def test_what_was_started_in_time_may_be_retried_later(host: Host) -> None:
    @host.tasks.task(max_retries=1, retry=fixed(HOUR))
    async def fail_first() -> str:
        if job_of_first.attempt_is_first():
            raise ValueError("once")
        return "done"

    job_of_first = _Attempts()
    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(fail_first.job(), expires_in=HOUR)
        await until(lambda: _is_scheduled(host, job))
        host.store.offset = 5 * HOUR
        assert await host.jobs.result(job) == "done"


async def _is_scheduled(host: Host, job: Job) -> bool:
    return (await host.jobs.get(job)).status is JobStatus.SCHEDULED


class _Attempts:
    def __init__(self) -> None:
        self._number = 0

    def attempt_is_first(self) -> bool:
        self._number += 1
        return self._number == 1


async def test_an_operators_retry_has_no_deadline_any_more(host: Host) -> None:
    @host.tasks.task()
    async def work() -> str:
        return "done"

    job = await host.jobs.submit(
        work.job(), deadline=HOUR, expires_in=HOUR, correlation_id="order 7"
    )
    host.store.offset = 2 * HOUR
    async with Worker(host.jobs, host.tasks):
        await asyncio.wait_for(_ended(host, job), 10)
        await host.jobs.retry(job)
        assert await host.jobs.result(job) == "done"
    assert (await host.jobs.get(job)).details.correlation_id == "order 7"


async def _ended(host: Host, job: Job) -> None:
    with pytest.raises((JobFailedError, JobCanceledError)):
        await host.jobs.result(job)
