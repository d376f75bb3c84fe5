"""How claims end: what each answer of the store means to who ends a claim."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from jobcore import (
    Answer,
    Claim,
    ClaimLostError,
    DefaultJobManager,
    InvalidJobError,
    Job,
    JobConflictError,
    JobRequest,
    JobStatus,
    Limit,
    Outcome,
    StoreError,
    StoreUnavailableError,
    ending,
    fixed,
    never,
)
from tests.jobcore.faults import FaultyStore

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
ENDS = ["complete", "fail", "release", "snooze", "acknowledge"]


async def claimed(jobs: DefaultJobManager, **options: Any) -> Claim:
    await jobs.submit(JobRequest("greet"), **options)
    (claim,) = (await jobs.claim("worker", ("default",), 1)).claims
    return claim


async def end(jobs: DefaultJobManager, act: str, claim: Claim) -> JobStatus:
    match act:
        case "complete":
            return await jobs.complete(claim, 7)
        case "fail":
            return await jobs.fail(claim, ValueError("no"))
        case "release":
            return await jobs.release(claim)
        case "snooze":
            return await jobs.snooze(claim, HOUR)
        case _:
            return await jobs.acknowledge(claim)


ENDED = {
    "complete": JobStatus.COMPLETED,
    "fail": JobStatus.SCHEDULED,
    "release": JobStatus.QUEUED,
    "snooze": JobStatus.SCHEDULED,
    "acknowledge": JobStatus.CANCELED,
}


@pytest.mark.parametrize("act", ENDS)
async def test_an_end_says_what_the_job_is_now(
    jobs: DefaultJobManager, act: str
) -> None:
    claim = await claimed(jobs)
    assert await end(jobs, act, claim) is ENDED[act]
    job = await jobs.get(claim.job_id)
    assert (job.status, job.lease_until) == (ENDED[act], None)


@pytest.mark.parametrize("act", ENDS)
async def test_an_end_whose_reply_was_lost_has_one_effect(
    jobs: DefaultJobManager, store: FaultyStore, act: str
) -> None:
    claim = await claimed(jobs)
    store.lose_reply("apply")
    assert await end(jobs, act, claim) is ENDED[act]
    job = await jobs.get(claim.job_id, attempts=True)
    assert store.calls["apply"] == 2
    assert job.status is ENDED[act]
    assert job.failures == (1 if act == "fail" else 0)
    assert len(job.attempts) == (0 if act == "snooze" else 1)


@pytest.mark.parametrize("act", ENDS)
async def test_a_claim_that_ended_is_lost_to_any_other_end(
    jobs: DefaultJobManager, act: str
) -> None:
    claim = await claimed(jobs)
    await end(jobs, act, claim)
    before = await jobs.get(claim.job_id, attempts=True)
    for other in set(ENDS) - {act}:
        if {act, other} == {"release", "snooze"}:
            continue
        with pytest.raises(ClaimLostError) as lost:
            await end(jobs, other, claim)
        assert lost.value.code == "claim_lost"
        assert (lost.value.job_id, lost.value.act) == (claim.job_id, other)
        assert lost.value.problem == Answer.TOKEN
    assert await jobs.get(claim.job_id, attempts=True) == before


async def test_the_same_end_again_changes_nothing(jobs: DefaultJobManager) -> None:
    claim = await claimed(jobs)
    await jobs.complete(claim, 7)
    assert await jobs.complete(claim, 8) is JobStatus.COMPLETED
    assert (await jobs.get(claim.job_id)).value == 7


@pytest.mark.parametrize("token", ["", "old", "-1", str(2**64)])
async def test_a_token_that_is_not_current_ends_nothing(
    jobs: DefaultJobManager, token: str
) -> None:
    claim = await claimed(jobs)
    other = await claimed(jobs)
    for wrong in (token, other.token):
        with pytest.raises(ClaimLostError):
            await jobs.complete(Claim(claim.job, wrong))
    assert (await jobs.get(claim.job_id)).status is JobStatus.IN_PROGRESS


@pytest.mark.parametrize("act", ENDS)
async def test_the_claim_of_a_job_that_is_gone_is_lost(
    jobs: DefaultJobManager, act: str
) -> None:
    claim = await claimed(jobs)
    await jobs.complete(claim)
    await jobs.delete(claim.job_id)
    with pytest.raises(ClaimLostError) as lost:
        await end(jobs, act, claim)
    assert lost.value.problem == Answer.MISSING


@pytest.mark.parametrize("act", ENDS)
async def test_a_locked_job_is_tried_again(
    jobs: DefaultJobManager, store: FaultyStore, act: str
) -> None:
    claim = await claimed(jobs)
    store.answer(Answer.LOCKED, Answer.LOCKED)
    assert await end(jobs, act, claim) is ENDED[act]
    assert store.calls["apply"] == 3


async def test_a_job_that_stays_locked_is_a_conflict_and_no_lost_claim(
    jobs: DefaultJobManager, store: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "_LOCKED_PAUSES", (0.0,) * 9)
    claim = await claimed(jobs)
    store.answer(*[Answer.LOCKED] * 10)
    with pytest.raises(JobConflictError) as conflict:
        await jobs.complete(claim)
    assert type(conflict.value) is JobConflictError
    assert (conflict.value.code, conflict.value.problem) == ("job_conflict", "locked")
    assert await jobs.complete(claim) is JobStatus.COMPLETED


@pytest.mark.parametrize("act", ["fail", "release", "snooze"])
@pytest.mark.parametrize("request_is", ["known", "met"])
async def test_every_other_end_cancels_when_that_is_requested(
    jobs: DefaultJobManager, act: str, request_is: str
) -> None:
    claim = await claimed(jobs)
    assert await jobs.cancel(claim.job_id) is JobStatus.IN_PROGRESS
    if request_is == "known":
        claim = Claim(await jobs.get(claim.job_id), claim.token)
    assert await end(jobs, act, claim) is JobStatus.CANCELED
    job = await jobs.get(claim.job_id, attempts=True)
    assert (job.status, job.reason) == (JobStatus.CANCELED, "canceled")
    (attempt,) = job.attempts
    assert attempt.ended_at is not None
    assert attempt.outcome is (Outcome.FAILED if act == "fail" else Outcome.RELEASED)


async def test_an_end_that_meets_a_request_and_loses_its_reply_has_one_effect(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claim = await claimed(jobs)
    await jobs.cancel(claim.job_id)
    store.lose_reply("apply")
    assert await jobs.fail(claim, ValueError()) is JobStatus.CANCELED
    assert (await jobs.get(claim.job_id)).failures == 1


async def test_complete_completes_though_a_cancellation_is_requested(
    jobs: DefaultJobManager,
) -> None:
    claim = await claimed(jobs)
    await jobs.cancel(claim.job_id)
    assert await jobs.complete(claim) is JobStatus.COMPLETED


async def test_a_late_end_succeeds_while_nobody_replaced_the_claim(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claim = await claimed(jobs)
    store.offset += 2 * HOUR
    assert await jobs.complete(claim) is JobStatus.COMPLETED


async def test_a_failure_spends_a_retry_and_waits_as_the_strategy_says(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claim = await claimed(jobs, max_retries=1)
    retry = fixed(HOUR, jitter=0)
    assert await jobs.fail(claim, ValueError("a"), retry=retry) is JobStatus.SCHEDULED
    job = await jobs.get(claim.job_id)
    assert HOUR <= job.due_at - claim.job.due_at < 2 * HOUR
    assert job.failure is not None
    assert (job.failure.type, job.failure.message) == ("ValueError", "a")
    store.offset += 2 * HOUR
    await jobs.promote_due_jobs()
    (again,) = (await jobs.claim("worker", ("default",), 1)).claims
    assert (again.job.attempt, again.job.failures) == (2, 1)
    outcome = Outcome.TIMED_OUT
    assert await jobs.fail(again, TimeoutError(), outcome=outcome) is JobStatus.FAILED
    job = await jobs.get(claim.job_id, attempts=True)
    assert (job.reason, job.failures) == ("timed_out", 2)
    assert [each.outcome for each in job.attempts] == [Outcome.FAILED, outcome]


async def test_the_strategy_of_the_manager_is_that_of_tasks_without_one(
    store: FaultyStore,
) -> None:
    async with DefaultJobManager(store, retry=never()) as jobs:
        claim = await claimed(jobs)
        assert await jobs.fail(claim, ValueError()) is JobStatus.FAILED
        claim = await claimed(jobs)
        retry = fixed(HOUR)
        assert await jobs.fail(claim, ValueError(), retry=retry) is JobStatus.SCHEDULED


class BrokenStrategy:
    def retry_after(self, job: Job, exception: BaseException) -> timedelta | None:
        raise RuntimeError(job.id) from exception


async def test_a_strategy_that_raises_does_not_keep_a_job_from_ending(
    store: FaultyStore, caplog: pytest.LogCaptureFixture
) -> None:
    async with DefaultJobManager(store, retry=BrokenStrategy()) as jobs:
        claim = await claimed(jobs)
        assert await jobs.fail(claim, ValueError()) is JobStatus.SCHEDULED
    assert claim.job_id in caplog.text


async def test_a_release_may_have_a_delay(jobs: DefaultJobManager) -> None:
    claim = await claimed(jobs)
    assert await jobs.release(claim, HOUR) is JobStatus.SCHEDULED
    job = await jobs.get(claim.job_id, attempts=True)
    assert (job.attempts, job.failures, job.losses) == ((), 0, 0)


@pytest.mark.parametrize("delay", [-HOUR, timedelta.max, 5, None])
async def test_a_snooze_of_no_length_is_refused(
    jobs: DefaultJobManager, delay: Any
) -> None:
    claim = await claimed(jobs)
    with pytest.raises(InvalidJobError, match="delay"):
        await jobs.snooze(claim, delay)
    assert (await jobs.get(claim.job_id)).status is JobStatus.IN_PROGRESS


async def test_an_end_frees_the_place_of_a_limit_at_once(
    jobs: DefaultJobManager,
) -> None:
    limit = Limit(concurrency=1)
    for _ in range(3):
        await jobs.submit(JobRequest("greet"), limit=limit)
    result = await jobs.claim("worker", ("default",), 3)
    assert (len(result.claims), result.held) == (1, 2)
    await jobs.complete(result.claims[0])
    await jobs.__aexit__(None, None, None)
    async with jobs:
        statistics = await jobs.statistics()
    assert statistics.count(JobStatus.QUEUED) == 1
    assert statistics.count(JobStatus.HELD) == 1


async def test_ends_at_a_time_share_round_trips(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.submit_many([JobRequest("greet")] * 100)
    claims = (await jobs.claim("worker", ("default",), 100)).claims
    await asyncio.gather(*map(jobs.complete, claims))
    assert store.calls["apply"] == 1


async def test_an_end_that_the_store_refuses_fails_alone(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claim = await claimed(jobs)
    store.fail("apply", StoreError("no"))
    with pytest.raises(StoreError):
        await jobs.complete(claim)
    store.fail("apply", StoreUnavailableError("gone"))
    assert await jobs.complete(claim) is JobStatus.COMPLETED


async def test_a_result_that_is_no_json_is_stored_as_its_likeness(
    jobs: DefaultJobManager,
) -> None:
    claim = await claimed(jobs)
    assert await jobs.complete(claim, {1: {float("nan")}}) is JobStatus.COMPLETED
    job = await jobs.get(claim.job_id)
    assert job.value == {"1": [None]}
    assert job.reason == "result has a key that is no string: 1"
