"""Reports: the ends of many claims in one write, each with an answer of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jobcore import (
    Answer,
    Claim,
    ClaimLostError,
    DefaultJobManager,
    InvalidJobError,
    JobConflictError,
    JobRequest,
    JobStatus,
    Limit,
    Outcome,
    Report,
    StoreError,
    StoreUnavailableError,
)
from tests.jobcore.faults import FaultyStore

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def claimed(jobs: DefaultJobManager, count: int, **options: Any) -> list[Claim]:
    await jobs.submit_many([JobRequest("greet")] * count, **options)
    return [*(await jobs.claim("worker", ("default",), count)).claims]


def succeeded(claims: list[Claim]) -> list[Report]:
    return [Report(each, Outcome.SUCCEEDED, value=7) for each in claims]


async def test_each_report_is_answered_with_the_status_of_its_job(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claims = await claimed(jobs, 6)
    reports = [
        Report(claims[0], Outcome.SUCCEEDED, value=7),
        Report(claims[1], Outcome.FAILED, error=ValueError("no")),
        Report(claims[2], Outcome.TIMED_OUT),
        Report(claims[3], Outcome.RELEASED),
        Report(claims[4], Outcome.RELEASED, delay=HOUR),
        Report(claims[5], Outcome.CANCELED),
    ]
    assert [each.act for each in reports] == [
        *("complete", "fail", "fail", "release", "snooze", "acknowledge")
    ]
    answers = await jobs.report(reports)
    assert answers == [
        JobStatus.COMPLETED,
        JobStatus.SCHEDULED,
        JobStatus.SCHEDULED,
        JobStatus.QUEUED,
        JobStatus.SCHEDULED,
        JobStatus.CANCELED,
    ]
    assert [(await jobs.get(each.job_id)).status for each in claims] == answers
    assert store.calls["apply"] == 1


async def test_a_report_that_loses_is_answered_among_those_that_do_not(
    jobs: DefaultJobManager,
) -> None:
    claims = await claimed(jobs, 3)
    await jobs.complete(claims[1])
    first, lost, last = await jobs.report(
        [Report(each, Outcome.FAILED, error=ValueError()) for each in claims]
    )
    assert (first, last) == (JobStatus.SCHEDULED, JobStatus.SCHEDULED)
    assert isinstance(lost, ClaimLostError)
    assert (lost.job_id, lost.act) == (claims[1].job_id, "fail")


async def test_a_report_that_meets_a_request_to_cancel_ends_in_that(
    jobs: DefaultJobManager,
) -> None:
    claims = await claimed(jobs, 2)
    await jobs.cancel(claims[0].job_id)
    reports = [Report(each, Outcome.RELEASED) for each in claims]
    assert await jobs.report(reports) == [JobStatus.CANCELED, JobStatus.QUEUED]


async def test_a_report_of_a_locked_job_is_answered_at_once(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    """Its neighbours would have to wait with it, and what is reported next."""
    claims = await claimed(jobs, 2)
    store.answer(Answer.LOCKED)
    for locked in await jobs.report(succeeded(claims)):
        assert type(locked) is JobConflictError
        assert (locked.act, locked.problem) == ("complete", Answer.LOCKED)
    assert store.calls["apply"] == 1
    assert await jobs.report(succeeded(claims)) == [JobStatus.COMPLETED] * 2


async def test_a_report_that_cannot_be_read_harms_no_other(
    jobs: DefaultJobManager,
) -> None:
    claims = await claimed(jobs, 2)
    odd = Report(claims[0], Outcome.RELEASED, delay=-HOUR)
    refused, completed = await jobs.report([odd, *succeeded(claims[1:])])
    assert isinstance(refused, InvalidJobError)
    assert completed is JobStatus.COMPLETED


async def test_a_report_that_the_store_refuses_harms_no_other(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claims = await claimed(jobs, 2)
    store.fail("apply", StoreError("odd"), StoreError("odd"), StoreError("odd"))
    refused, completed = await jobs.report(succeeded(claims))
    assert isinstance(refused, StoreError)
    assert completed is JobStatus.COMPLETED


async def test_reports_that_the_store_cannot_take_are_answered_so(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claims = await claimed(jobs, 2)
    store.fail("apply", *[StoreUnavailableError("gone")] * 100)
    answers = await jobs.report(succeeded(claims))
    assert [type(each) for each in answers] == [StoreUnavailableError] * 2


async def test_reports_whose_reply_was_lost_have_one_effect(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claims = await claimed(jobs, 2)
    store.lose_reply("apply")
    reports = [Report(each, Outcome.FAILED, error=ValueError()) for each in claims]
    assert await jobs.report(reports) == [JobStatus.SCHEDULED] * 2
    assert [(await jobs.get(each.job_id)).failures for each in claims] == [1, 1]


async def test_a_report_frees_the_place_of_its_limit(jobs: DefaultJobManager) -> None:
    limited: Any = {"limit_key": "key", "limit": Limit(concurrency=1)}
    (claim,) = await claimed(jobs, 1, **limited)
    held = await jobs.submit(JobRequest("greet"), **limited)
    assert not (await jobs.claim("worker", ("default",), 1)).claims
    assert (await jobs.get(held)).status is JobStatus.HELD
    await jobs.report(succeeded([claim]))
    while (await jobs.get(held)).status is JobStatus.HELD:
        pass
    assert (await jobs.claim("worker", ("default",), 1)).claims[0].job_id == held.id
