"""A run ends with a value, whatever its handler does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from jobcore import (
    JobContext,
    JobFailedError,
    JobRequest,
    JobStatus,
    Outcome,
    Worker,
    current_job,
)
from tests.jobcore.worker.conftest import Host, until

pytestmark = pytest.mark.anyio

SHORT = timedelta(milliseconds=20)


async def test_a_handler_that_raises_is_tried_again(host: Host) -> None:
    attempts = []

    @host.tasks.task(context=True)
    async def third_time_lucky(context: JobContext) -> str:
        attempts.append(context.job.attempt)
        if len(attempts) < 3:
            raise ConnectionError(len(attempts))
        return "done"

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(third_time_lucky.job())
        assert await host.jobs.result(job) == "done"
    after = await host.jobs.get(job, attempts=True)
    assert attempts == [1, 2, 3]
    assert [each.outcome for each in after.attempts] == [
        "failed",
        "failed",
        "succeeded",
    ]
    assert [each.failure and each.failure.message for each in after.attempts] == [
        "1",
        "2",
        None,
    ]
    assert (after.failures, after.error) == (2, None)


@pytest.mark.parametrize(
    "error", [SystemExit(3), GeneratorExit(), asyncio.CancelledError(), StopIteration()]
)
async def test_whatever_a_handler_raises_is_a_failure(
    host: Host, error: BaseException
) -> None:
    @host.tasks.task(max_retries=0)
    async def odd() -> None:
        raise error

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(odd.job())
        with pytest.raises(JobFailedError):
            await host.jobs.result(job)


async def test_an_attempt_that_takes_too_long_is_cancelled_once(host: Host) -> None:
    cancelled = 0

    @host.tasks.task(timeout=SHORT, max_retries=0)
    async def slow() -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            await asyncio.sleep(0.05)
            raise

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(slow.job())
        with pytest.raises(JobFailedError) as caught:
            await host.jobs.result(job)
    after = await host.jobs.get(job, attempts=True)
    assert caught.value.error_type == "TimeoutError"
    assert [each.outcome for each in after.attempts] == [Outcome.TIMED_OUT]
    assert (after.reason, cancelled) == ("timed_out", 1)


async def test_a_timeout_is_retried_like_a_failure(host: Host) -> None:
    @host.tasks.task(timeout=SHORT, context=True)
    async def second_time_fast(context: JobContext) -> str:
        if context.job.attempt == 1:
            await asyncio.Event().wait()
        return "done"

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(second_time_fast.job())
        assert await host.jobs.result(job) == "done"


async def test_a_thread_keeps_its_slot_until_it_returns(host: Host) -> None:
    told, running, most = threading.Event(), 0, 0

    @host.tasks.task(timeout=SHORT, max_retries=0, context=True)
    def blocking(context: JobContext) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        while not context.cancelled:
            told.wait(0.001)
        running -= 1

    async with Worker(host.jobs, host.tasks, concurrency=1):
        jobs = [await host.jobs.submit(blocking.job()) for _ in range(3)]
        for job in jobs:
            with pytest.raises(JobFailedError, match="TimeoutError"):
                await host.jobs.result(job)
    assert most == 1


async def test_threads_run_as_many_at_a_time_as_there_are_slots(host: Host) -> None:
    together = threading.Barrier(20)

    @host.tasks.task()
    def meet() -> str:
        together.wait(10)
        return current_job().job.task

    async with Worker(host.jobs, host.tasks, concurrency=20):
        submitted = await host.jobs.submit_many([meet.job() for _ in range(20)])
        for job in submitted:
            assert await host.jobs.result(job) == "meet"


async def test_a_running_job_is_canceled_on_request(host: Host) -> None:
    begun, cleaned = asyncio.Event(), asyncio.Event()

    @host.tasks.task()
    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(endless.job())
        await begun.wait()
        assert await host.jobs.cancel(job) is JobStatus.IN_PROGRESS
        await cleaned.wait()

        async def ended() -> bool:
            return not await host.is_in_progress(job)

        await until(ended)
    after = await host.jobs.get(job, attempts=True)
    assert after.status is JobStatus.CANCELED
    assert [each.outcome for each in after.attempts] == [Outcome.CANCELED]


async def test_a_value_that_is_returned_in_spite_of_the_request_counts(
    host: Host,
) -> None:
    begun = asyncio.Event()

    @host.tasks.task()
    async def finishing() -> str:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "finished anyway"

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(finishing.job())
        await begun.wait()
        await host.jobs.cancel(job)
        assert await host.jobs.result(job) == "finished anyway"


async def test_arguments_that_do_not_fit_fail_the_job_at_once(host: Host) -> None:
    @host.tasks.task()
    async def picky(number: int) -> int:
        return number

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(JobRequest("picky", {"number": "many"}))
        with pytest.raises(JobFailedError, match="number"):
            await host.jobs.result(job)
    assert (await host.jobs.get(job)).attempt == 1


async def test_an_odd_result_is_stored_as_its_nearest_likeness(host: Host) -> None:
    @host.tasks.task()
    async def odd() -> object:
        return {"nan": float("nan"), "set": {1}, "text": "\ud800\0"}

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(odd.job())
        value = await host.jobs.result(job)
    assert value == {"nan": None, "set": [1], "text": "?\ufffd"}
    assert (await host.jobs.get(job)).reason is not None


async def test_resources_are_open_while_handlers_run_and_closed_after(
    host: Host,
) -> None:
    events: list[str] = []

    @host.tasks.worker_resource
    async def pool() -> AsyncIterator[str]:
        events.append("pool opened")
        yield "pool"
        events.append("pool closed")

    @host.tasks.job_resource
    async def session(context: JobContext) -> AsyncIterator[str]:
        try:
            yield f"session of {context.resource(pool)}"
        except ZeroDivisionError:
            events.append("rolled back")
            raise
        finally:
            events.append("session closed")

    @host.tasks.task(context=True, resources=[session], max_retries=0)
    async def use(context: JobContext, divisor: int) -> str:
        events.append(context.resource(session))
        return str(1 / divisor)

    async with Worker(host.jobs, host.tasks):
        fine = await host.jobs.submit(use.job(1))
        assert await host.jobs.result(fine) == "1.0"
        broken = await host.jobs.submit(use.job(0))
        with pytest.raises(JobFailedError):
            await host.jobs.result(broken)
    used = "session of pool"
    assert events == [
        "pool opened",
        *(used, "session closed"),
        *(used, "rolled back", "session closed"),
        "pool closed",
    ]


async def test_a_job_knows_its_context_and_only_its_own(host: Host) -> None:
    @host.tasks.task()
    async def who() -> str:
        await asyncio.sleep(0)
        return current_job().job.id

    async with Worker(host.jobs, host.tasks) as worker:
        submitted = await host.jobs.submit_many([who.job() for _ in range(5)])
        for job in submitted:
            assert await host.jobs.result(job) == job.id
        assert (await host.jobs.get(submitted[0])).worker == worker.id
    with pytest.raises(LookupError):
        current_job()


async def test_a_resource_that_was_not_asked_for_is_not_there(host: Host) -> None:
    @host.tasks.job_resource
    async def session(context: JobContext) -> AsyncIterator[str]:
        yield context.job.id

    @host.tasks.task(context=True, max_retries=0)
    async def use(context: JobContext) -> str:
        return context.resource(session)

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(use.job())
        with pytest.raises(JobFailedError, match="session"):
            await host.jobs.result(job)
