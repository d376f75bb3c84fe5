"""What a handler may know of its run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from jobcore import ClaimLostError, Job, JobContext, NewJob, Tasks, current_job
from jobcore.context import Acts, enter_job

pytestmark = pytest.mark.anyio


def a_context() -> JobContext:
    job = Job.stored(NewJob(task="greet", id="7"), datetime(2030, 1, 1, tzinfo=UTC))
    return JobContext(job, "worker")


async def test_there_is_no_current_job_outside_of_a_handler() -> None:
    with pytest.raises(LookupError):
        current_job()


async def test_the_current_job_is_that_of_the_task_and_of_the_threads_it_starts() -> (
    None
):
    async def handler() -> tuple[JobContext, JobContext, JobContext]:
        context = a_context()
        enter_job(context)
        return context, current_job(), await asyncio.to_thread(current_job)

    for entered, current, in_thread in await asyncio.gather(handler(), handler()):
        assert entered is current is in_thread
    with pytest.raises(LookupError):
        current_job()


async def test_a_handler_can_ask_whether_it_is_to_end() -> None:
    context, other = a_context(), a_context()
    assert not context.cancelled
    context.cancel()
    assert context.cancelled
    assert not other.cancelled


async def test_a_resource_is_found_by_what_it_was_registered_as() -> None:
    tasks = Tasks()

    @tasks.worker_resource
    async def pool() -> AsyncIterator[str]:
        yield "pool"

    @tasks.job_resource
    async def session(context: JobContext) -> AsyncIterator[str]:
        yield f"session on {context.resource(pool)}"

    context = a_context()
    with pytest.raises(LookupError, match="pool"):
        context.resource(pool)
    async with pool.open() as opened:
        context.resources = {pool: opened}
        async with session.open(context) as nested:
            assert nested == "session on pool"
    assert tasks.resources == [pool]
    assert (pool.per_job, session.per_job) == (False, True)


async def test_only_a_worker_completes_the_job_of_a_context() -> None:
    with pytest.raises(LookupError, match="no worker"):
        await a_context().complete(object())


async def test_a_completion_that_fails_leaves_the_claim_to_the_worker() -> None:
    """So that a handler whose claim is lost is still told to end."""

    async def refuse(*_: object) -> None:
        raise ClaimLostError("7", "complete", "token")

    context = a_context()
    context = JobContext(context.job, "worker", {}, Acts(refuse, refuse))
    with pytest.raises(ClaimLostError):
        await context.complete(object())
    assert not context.completes_itself
