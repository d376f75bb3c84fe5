from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from jobcore import (
    ClaimRequest,
    ClaimResult,
    DefaultJobManager,
    Every,
    InMemoryJobStore,
    JobContext,
    JobFailedError,
    JobStatus,
    Limit,
    Tasks,
    UnknownTaskError,
    current_job,
    lifecycle,
)
from jobcore.testing import applied, claimed, pass_time, run_until_idle
from jobcore.wrappers import StoreWrapper

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)

tasks = Tasks()
opened: list[str] = []


@tasks.worker_resource
async def resource() -> AsyncIterator[str]:
    opened.append("opened")
    yield "resource"
    opened.append("closed")


@tasks.task()
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@tasks.task(max_retries=2)
async def refuse(times: int = 99) -> int:
    attempt = current_job().job.attempt
    if attempt <= times:
        raise ConnectionRefusedError(attempt)
    return attempt


@tasks.task(timeout=timedelta(milliseconds=1))
async def dawdle() -> None:
    await asyncio.sleep(99)


@tasks.task()
async def wait_for_ever() -> None:
    await asyncio.sleep(99)


class SlowStore(StoreWrapper):
    """Answers claims when whoever does not wait for them has given up."""

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        await asyncio.sleep(0.02)
        return await super().claim(request)


async def test_what_is_due_runs_and_is_answered(jobs: DefaultJobManager) -> None:
    opened.clear()
    await jobs.submit(greet.job("Eve"), delay=HOUR)
    await jobs.submit_many([greet.job("Ada"), greet.job("Bob")])
    ran = await run_until_idle(jobs, tasks)
    assert [job.value for job in ran] == ["Hello, Ada!", "Hello, Bob!"]
    assert {job.status for job in ran} == {JobStatus.COMPLETED}
    assert opened == ["opened", "closed"]
    assert await run_until_idle(jobs, tasks) == []


async def test_what_jobs_submit_runs_as_well(jobs: DefaultJobManager) -> None:
    own = Tasks()

    @own.task()
    async def count_down(number: int) -> int:
        if number:
            await jobs.submit(count_down.job(number - 1))
        return number

    await jobs.submit(count_down.job(3))
    assert [job.value for job in await run_until_idle(jobs, own)] == [3, 2, 1, 0]


async def test_values_are_of_the_type_that_the_task_returns(
    jobs: DefaultJobManager,
) -> None:
    own = Tasks()

    @own.task()
    async def last_day() -> date:
        return date.max

    await jobs.submit(last_day.job())
    (job,) = await run_until_idle(jobs, own)
    assert job.value == date.max


async def test_only_what_ran_is_answered(jobs: DefaultJobManager) -> None:
    own = Tasks()

    @own.task()
    async def call_off(job_id: str) -> None:
        await jobs.cancel(job_id)

    other = await jobs.submit(call_off.job("0"), delay=HOUR)
    await jobs.submit(call_off.job(other.id))
    (job,) = await run_until_idle(jobs, own)
    assert job.status is JobStatus.COMPLETED
    assert (await jobs.get(other)).status is JobStatus.CANCELED


async def test_a_store_may_take_its_time() -> None:
    async with (
        SlowStore(InMemoryJobStore()) as store,
        DefaultJobManager(store) as jobs,
    ):
        await jobs.submit(greet.job("Ada"))
        assert len(await run_until_idle(jobs, tasks)) == 1


async def test_what_is_due_later_runs_when_time_has_passed(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit(greet.job("Ada"), delay=HOUR)
    assert await run_until_idle(jobs, tasks) == []
    pass_time(jobs, HOUR)
    (job,) = await run_until_idle(jobs, tasks)
    assert job.value == "Hello, Ada!"


async def test_an_error_of_a_handler_is_raised_as_it_is(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(refuse.job())
    await jobs.submit(greet.job("Ada"))
    with pytest.raises(ConnectionRefusedError, match="1") as raised:
        await run_until_idle(jobs, tasks)
    assert raised.value.__notes__ == [f"raised by job {job.id} (refuse)"]
    assert (await jobs.get(job)).status is JobStatus.SCHEDULED
    assert (await jobs.statistics()).count(JobStatus.COMPLETED) == 1


async def test_errors_of_several_jobs_are_raised_together(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit_many([refuse.job(), refuse.job()])
    with pytest.raises(ExceptionGroup) as raised:
        await run_until_idle(jobs, tasks)
    assert len(raised.value.exceptions) == 2


async def test_errors_are_left_on_the_jobs_where_that_is_asked(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit(refuse.job())
    (job,) = await run_until_idle(jobs, tasks, raise_errors=False)
    assert job.failure is not None
    assert job.failure.type == "ConnectionRefusedError"


async def test_what_no_handler_raised_is_told_by_the_job(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit(dawdle.job())
    with pytest.raises(JobFailedError, match="TimeoutError: took longer than"):
        await run_until_idle(jobs, tasks)


async def test_retries_run_without_waiting_and_what_was_forgiven_is_not_raised(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit(refuse.job(times=2))
    await jobs.submit(greet.job("Ada"), delay=timedelta(days=1))
    (job,) = await run_until_idle(jobs, tasks, retries=True)
    assert (job.value, job.failures) == (3, 2)
    assert (await jobs.statistics()).count(JobStatus.SCHEDULED) == 1


async def test_what_is_due_before_a_retry_runs_before_it(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit(refuse.job(times=1))
    await jobs.submit(greet.job("Ada"), delay=timedelta(milliseconds=500))
    first, second = await run_until_idle(jobs, tasks, retries=True)
    assert first.started_at is not None
    assert second.started_at is not None
    assert first.started_at > second.started_at


async def test_an_error_that_no_retry_helped_is_raised(jobs: DefaultJobManager) -> None:
    await jobs.submit(refuse.job())
    with pytest.raises(ConnectionRefusedError, match="3"):
        await run_until_idle(jobs, tasks, retries=True)


async def test_a_schedule_ticks_as_time_passes(jobs: DefaultJobManager) -> None:
    own = Tasks()

    @own.task(schedule=Every(HOUR))
    async def clean() -> str:
        return "clean"

    assert await run_until_idle(jobs, own) == []
    for _ in range(2):
        pass_time(jobs, HOUR)
        (job,) = await run_until_idle(jobs, own)
        assert (job.value, job.labels["schedule"]) == ("clean", "clean")


async def test_a_job_whose_worker_died_comes_back(jobs: DefaultJobManager) -> None:
    await jobs.submit(greet.job("Ada"))
    await jobs.claim("dead", ["default"], 1)
    assert await run_until_idle(jobs, tasks) == []
    pass_time(jobs, jobs.config.job_claim_timeout)
    (job,) = await run_until_idle(jobs, tasks, retries=True)
    assert (job.value, job.losses) == ("Hello, Ada!", 1)


async def test_jobs_of_one_limit_run_one_after_another(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit_many(
        [greet.job(name) for name in ("Ada", "Bob", "Eve")],
        limit_key="one",
        limit=Limit(concurrency=1),
    )
    assert len(await run_until_idle(jobs, tasks)) == 3


async def test_what_a_rate_puts_off_is_not_due(jobs: DefaultJobManager) -> None:
    await jobs.submit_many(
        [greet.job("Ada"), greet.job("Bob")],
        limit_key="slow",
        limit=Limit(rate=1, period=HOUR),
    )
    assert len(await run_until_idle(jobs, tasks)) == 1
    pass_time(jobs, HOUR)
    assert len(await run_until_idle(jobs, tasks)) == 1


async def test_what_is_paused_waits(jobs: DefaultJobManager) -> None:
    await jobs.submit(greet.job("Ada"))
    await jobs.pause(queue="default")
    assert await run_until_idle(jobs, tasks) == []
    await jobs.resume(queue="default")
    assert len(await run_until_idle(jobs, tasks)) == 1


async def test_other_queues_run_where_they_are_named(jobs: DefaultJobManager) -> None:
    await jobs.submit(greet.job("Ada"), queue="other")
    assert await run_until_idle(jobs, tasks) == []
    assert len(await run_until_idle(jobs, tasks, queues=["other"])) == 1


async def test_no_time_passes_for_retries_in_other_queues(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(greet.job("Ada"), queue="other")
    (claim,) = (await jobs.claim("other", ["other"], 1)).claims
    await jobs.fail(claim, ConnectionRefusedError())
    assert await run_until_idle(jobs, tasks, retries=True) == []
    assert (await jobs.get(job)).status is JobStatus.SCHEDULED


async def test_a_job_that_nobody_let_start_when_it_might_starts(
    jobs: DefaultJobManager,
) -> None:
    one = Limit(concurrency=1)
    requests = [greet.job("Ada"), greet.job("Bob")]
    await jobs.submit_many(requests, limit_key="one", limit=one)
    (claim,) = await claimed(jobs.store, 2)
    await applied(jobs.store, lifecycle.complete(claim, b"null"))
    (job,) = await run_until_idle(jobs, tasks)
    assert job.value == "Hello, Bob!"


async def test_a_job_that_was_put_off_by_itself_waits(jobs: DefaultJobManager) -> None:
    own = Tasks()

    @own.task(context=True)
    async def put_off(context: JobContext) -> str:
        if context.job.attempt == 1:
            context.snooze(HOUR)
        return "done"

    await jobs.submit(put_off.job())
    (job,) = await run_until_idle(jobs, own, retries=True)
    assert job.status is JobStatus.SCHEDULED
    pass_time(jobs, HOUR)
    (job,) = await run_until_idle(jobs, own)
    assert job.value == "done"


async def test_a_job_that_was_deleted_is_not_answered(
    jobs: DefaultJobManager,
) -> None:
    own = Tasks()
    own.include(tasks)

    @own.task()
    async def tidy(job_id: str) -> None:
        while (await jobs.get(job_id)).status is not JobStatus.COMPLETED:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0)
        await jobs.delete(job_id)

    gone = await jobs.submit(greet.job("Ada"))
    await jobs.submit(tidy.job(gone.id))
    assert [job.task for job in await run_until_idle(jobs, own)] == ["tidy"]


async def test_a_job_of_an_unknown_task_is_a_mistake(jobs: DefaultJobManager) -> None:
    await jobs.submit(greet.job("Ada"))
    (claim,) = (await jobs.claim("other", ["default"], 1)).claims
    await jobs.fail(claim, ConnectionRefusedError())
    with pytest.raises(UnknownTaskError, match="'greet'"):
        await run_until_idle(
            jobs, Tasks(), queues=["default"], retries=True, raise_errors=False
        )


async def test_whoever_would_wait_for_ever_is_told_for_what(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(wait_for_ever.job())
    soon = timedelta(milliseconds=50)
    told = re.escape(f"wait_for_ever (in_progress, {job.id})")
    async with asyncio.timeout(5):  # the grace period of a worker is longer
        with pytest.raises(TimeoutError, match=told):
            await run_until_idle(jobs, tasks, timeout=soon)
    assert (await jobs.get(job)).status is JobStatus.QUEUED
