"""What operators do to single jobs: cancel, retry, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from jobcore import (
    TERMINAL,
    Answer,
    Claim,
    DefaultJobManager,
    Job,
    JobConflictError,
    JobNotFoundError,
    JobRequest,
    JobStatus,
    ending,
    never,
)
from tests.jobcore.faults import FaultyStore

pytestmark = pytest.mark.anyio


async def a_job(jobs: DefaultJobManager, status: JobStatus) -> Job:
    """A job that came to *status* as jobs do."""
    options: Any = {"delay": timedelta(hours=1)} if status == "scheduled" else {}
    job = await jobs.submit(JobRequest("greet"), **options)
    if status is JobStatus.HELD:
        await jobs.pause(task="greet")
    if status not in {JobStatus.SCHEDULED, JobStatus.QUEUED}:
        result = await jobs.claim("worker", ("default",), 1)
        for claim in result.claims:
            await end(jobs, claim, status)
    found = await jobs.get(job)
    assert found.status is status
    return found


async def end(jobs: DefaultJobManager, claim: Claim, status: JobStatus) -> None:
    if status is JobStatus.COMPLETED:
        await jobs.complete(claim, 7)
    elif status is JobStatus.FAILED:
        await jobs.fail(claim, ValueError("no"), retry=never())
    elif status is JobStatus.CANCELED:
        await jobs.cancel(claim.job_id)
        await jobs.acknowledge(claim)


CANCELED = {
    JobStatus.SCHEDULED: JobStatus.CANCELED,
    JobStatus.QUEUED: JobStatus.CANCELED,
    JobStatus.HELD: JobStatus.CANCELED,
    JobStatus.IN_PROGRESS: JobStatus.IN_PROGRESS,
    JobStatus.CANCELED: JobStatus.CANCELED,
}


@pytest.mark.parametrize("status", CANCELED)
async def test_cancel_calls_off_what_is_not_finished(
    jobs: DefaultJobManager, store: FaultyStore, status: JobStatus
) -> None:
    job = await a_job(jobs, status)
    for _ in range(2):
        assert await jobs.cancel(job) is CANCELED[status]
    found = await jobs.get(job)
    assert found.status is CANCELED[status]
    requested = status in {JobStatus.IN_PROGRESS, JobStatus.CANCELED}
    assert (found.cancel_requested_at is not None) is requested
    assert (await store.verify()).sound


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED])
async def test_cancel_of_a_finished_job_is_a_conflict(
    jobs: DefaultJobManager, status: JobStatus
) -> None:
    job = await a_job(jobs, status)
    with pytest.raises(JobConflictError) as conflict:
        await jobs.cancel(job.id)
    assert (conflict.value.code, conflict.value.act) == ("job_conflict", "cancel")
    assert conflict.value.problem == f"status {status}"
    assert await jobs.get(job) == job


@pytest.mark.parametrize("status", sorted(TERMINAL))
async def test_retry_starts_a_finished_job_anew(
    jobs: DefaultJobManager, status: JobStatus
) -> None:
    job = await a_job(jobs, status)
    again = await jobs.retry(job)
    assert (again.status, again.id, again.generation) == (JobStatus.QUEUED, job.id, 1)
    assert (again.failures, again.losses, again.result) == (0, 0, None)
    assert again.cancel_requested_at is None
    (claim,) = (await jobs.claim("worker", ("default",), 1)).claims
    assert claim.job.attempt == 2
    await jobs.complete(claim)
    assert len((await jobs.get(job, attempts=True)).attempts) == 2


@pytest.mark.parametrize("status", sorted(set(JobStatus) - TERMINAL))
async def test_retry_of_an_unfinished_job_is_a_conflict(
    jobs: DefaultJobManager, status: JobStatus
) -> None:
    job = await a_job(jobs, status)
    with pytest.raises(JobConflictError) as conflict:
        await jobs.retry(job.id)
    assert conflict.value.problem == f"status {status}"
    assert await jobs.get(job) == job


async def test_retry_takes_the_unique_key_or_tells_who_has_it(
    jobs: DefaultJobManager,
) -> None:
    request: JobRequest[Any] = JobRequest("greet", options={"unique_key": "u"})
    first = await jobs.submit(request)
    await jobs.cancel(first)
    second = await jobs.submit(request)
    assert second.id != first.id
    with pytest.raises(JobConflictError) as conflict:
        await jobs.retry(first)
    assert conflict.value.problem == Answer.UNIQUE_KEY
    assert (await jobs.get(first)).status is JobStatus.CANCELED
    await jobs.cancel(second)
    assert (await jobs.retry(first)).status is JobStatus.QUEUED
    assert (await jobs.submit(request)).id == first.id


@pytest.mark.parametrize("status", sorted(set(JobStatus) - {JobStatus.IN_PROGRESS}))
async def test_delete_takes_any_job_that_does_not_run(
    jobs: DefaultJobManager, store: FaultyStore, status: JobStatus
) -> None:
    job = await a_job(jobs, status)
    await jobs.delete(job)
    with pytest.raises(JobNotFoundError):
        await jobs.get(job)
    assert (await store.verify()).sound


async def test_delete_of_a_running_job_is_a_conflict(jobs: DefaultJobManager) -> None:
    job = await a_job(jobs, JobStatus.IN_PROGRESS)
    with pytest.raises(JobConflictError) as conflict:
        await jobs.delete(job)
    assert (conflict.value.act, conflict.value.problem) == (
        "delete",
        "status in_progress",
    )
    assert await jobs.get(job) == job


UNKNOWN = [
    "",
    "7",
    "1 OR 1=1",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "{018f}",
    "urn:uuid:018f",
    "a\0b",
    "\ud800",
    "x" * 10_000,
]


@pytest.mark.parametrize("job_id", UNKNOWN, ids=range(len(UNKNOWN)))
async def test_a_job_that_is_not_there_is_told_by_its_id(
    jobs: DefaultJobManager, job_id: str
) -> None:
    acts: list[Callable[[str], Awaitable[object]]] = [
        jobs.get,
        jobs.cancel,
        jobs.retry,
        jobs.delete,
    ]
    for act in acts:
        with pytest.raises(JobNotFoundError) as missing:
            await act(job_id)
        assert (missing.value.code, missing.value.job_id) == ("job_not_found", job_id)


async def test_a_lost_reply_to_cancel_has_one_effect(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    for status in (JobStatus.QUEUED, JobStatus.IN_PROGRESS):
        job = await a_job(jobs, status)
        store.lose_reply("apply")
        assert await jobs.cancel(job) is CANCELED[status]


async def test_a_lost_reply_to_retry_begins_one_generation(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    job = await a_job(jobs, JobStatus.COMPLETED)
    store.lose_reply("apply")
    assert (await jobs.retry(job)).generation == 1
    assert store.calls["apply"] == 3


async def test_a_lost_reply_to_delete_is_no_missing_job(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    job = await a_job(jobs, JobStatus.QUEUED)
    store.lose_reply("delete")
    await jobs.delete(job)
    assert store.calls["delete"] == 2


async def test_two_who_cancel_at_a_time_both_succeed(jobs: DefaultJobManager) -> None:
    job = await a_job(jobs, JobStatus.QUEUED)
    ended = await asyncio.gather(*[jobs.cancel(job) for _ in range(5)])
    assert ended == [JobStatus.CANCELED] * 5


async def test_of_two_who_retry_at_a_time_one_succeeds(
    jobs: DefaultJobManager,
) -> None:
    job = await a_job(jobs, JobStatus.FAILED)
    ended = await asyncio.gather(
        *[jobs.retry(job) for _ in range(2)], return_exceptions=True
    )
    errors = [each for each in ended if isinstance(each, BaseException)]
    assert [type(each) for each in errors] == [JobConflictError]
    assert (await jobs.get(job)).generation == 1


async def meanwhile(
    store: FaultyStore, act: Awaitable[Any], interlude: Callable[[], Awaitable[object]]
) -> Any:
    """Let *act* read its job, then hold its write until the *interlude* is over."""
    writes, store.calls["apply"] = store.calls["apply"], 0
    gate = store.gates["apply"] = store.gate("apply")
    acting = asyncio.ensure_future(act)
    await gate.reached.wait()
    del store.gates["apply"]
    await interlude()
    gate.opened.set()
    store.calls["apply"] += writes
    return await acting


async def test_cancel_follows_a_job_whose_status_changes(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    job = await a_job(jobs, JobStatus.QUEUED)
    status = await meanwhile(
        store, jobs.cancel(job), lambda: jobs.claim("worker", ("default",), 1)
    )
    assert status is JobStatus.IN_PROGRESS
    assert (await jobs.get(job)).cancel_requested_at is not None


async def test_cancel_of_a_job_that_vanishes_says_so(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    job = await a_job(jobs, JobStatus.QUEUED)
    with pytest.raises(JobNotFoundError):
        await meanwhile(store, jobs.cancel(job), lambda: jobs.delete(job))


async def test_retry_does_not_begin_a_generation_that_it_did_not_see(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    job = await a_job(jobs, JobStatus.COMPLETED)

    async def somebody_else() -> None:
        async with DefaultJobManager(store) as others:
            await others.retry(job)
            (claim,) = (await others.claim("worker", ("default",), 1)).claims
            await others.complete(claim, 8)

    with pytest.raises(JobConflictError) as conflict:
        await meanwhile(store, jobs.retry(job), somebody_else)
    assert conflict.value.problem == Answer.GENERATION
    found = await jobs.get(job)
    assert (found.generation, found.value) == (1, 8)


async def test_a_job_that_never_holds_still_is_a_conflict(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    job = await a_job(jobs, JobStatus.QUEUED)
    store.answer(*[Answer.STATUS] * 20)
    with pytest.raises(JobConflictError, match="constant change"):
        await jobs.cancel(job)
    assert await jobs.get(job) == job


@pytest.mark.parametrize("act", ["cancel", "retry"])
async def test_a_locked_job_is_tried_again_and_then_a_conflict(
    jobs: DefaultJobManager,
    store: FaultyStore,
    monkeypatch: pytest.MonkeyPatch,
    act: str,
) -> None:
    monkeypatch.setattr(ending, "_LOCKED_PAUSES", (0.0,) * 9)
    job = await a_job(
        jobs, JobStatus.QUEUED if act == "cancel" else JobStatus.COMPLETED
    )
    store.answer(*[Answer.LOCKED] * 10)
    with pytest.raises(JobConflictError) as conflict:
        await getattr(jobs, act)(job)
    assert conflict.value.problem == Answer.LOCKED
    store.answer(*[Answer.LOCKED] * 9)
    await getattr(jobs, act)(job)
