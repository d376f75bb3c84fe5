"""The table of statuses and events, and each event as a guarded write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from jobcore import (
    TERMINAL,
    Attempt,
    Claim,
    Expectation,
    Job,
    JobEvent,
    JobStatus,
    NewJob,
    Outcome,
    Transition,
    TransitionError,
    lifecycle,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINE, UPKEEP = "mine", "of upkeep"
ERROR = b'{"type":"ValueError","message":"no"}'

# Written by hand, line by line as DESIGN's diagram has it, not taken from the table.
STEPS = """
    scheduled    promote      queued
    scheduled    cancel       canceled
    scheduled    move         scheduled
    queued       claim        in_progress
    queued       hold         held
    queued       defer        scheduled
    queued       cancel       canceled
    queued       move         queued
    held         lift         queued
    held         cancel       canceled
    held         move         held
    held         approve      scheduled
    in_progress  complete     completed
    in_progress  fail         failed
    in_progress  back_off     scheduled
    in_progress  snooze       scheduled
    in_progress  release      queued
    in_progress  cancel       in_progress
    in_progress  acknowledge  canceled
    in_progress  expire       canceled
    completed    retry        queued
    failed       retry        queued
    canceled     retry        queued
"""
EXPECTED = {
    (JobStatus(status), JobEvent[event.upper()]): JobStatus(following)
    for status, event, following in map(str.split, STEPS.strip().splitlines())
}
PAIRS = list(product(JobStatus, JobEvent))


def a_job(**fields: Any) -> Job:
    new = NewJob(task="greet", id="7", max_retries=2)
    return Job.stored(new, NOW).model_copy(update=fields)


def a_claim(**fields: Any) -> Claim:
    usual = {
        "status": JobStatus.IN_PROGRESS,
        "attempt": 4,
        "worker": "w",
        "started_at": NOW,
        "lease_until": NOW + HOUR,
    }
    return Claim(a_job(**{**usual, **fields}), MINE)


def attempt(outcome: Outcome, error: bytes | None = None) -> Attempt:
    return Attempt(number=4, worker="w", started_at=NOW, outcome=outcome, error=error)


def expectation(**fields: Any) -> Expectation:
    return Expectation(**{"token": MINE, "no_cancel_request": True, **fields})


def test_there_are_seven_statuses_and_sixteen_events() -> None:
    assert len(PAIRS) == 7 * 16


@pytest.mark.parametrize(("status", "event"), PAIRS)
def test_a_status_and_an_event_lead_where_the_design_says(
    status: JobStatus, event: JobEvent
) -> None:
    following = EXPECTED.get((status, event))
    assert lifecycle.TRANSITIONS[status].get(event) is following
    if following is not None:
        assert lifecycle.after(status, event) is following
        return
    with pytest.raises(TransitionError) as refused:
        lifecycle.after(status, event)
    assert refused.value.code == "transition"
    assert (refused.value.status, refused.value.event) == (status, event)


def test_complete_keeps_the_result_and_heeds_no_cancel_request() -> None:
    assert lifecycle.complete(a_claim(), b"1") == Transition(
        job_id="7",
        expect=expectation(no_cancel_request=False),
        status=JobStatus.COMPLETED,
        token=MINE,
        outcome=Outcome.SUCCEEDED,
        attempt=attempt(Outcome.SUCCEEDED),
        changes={"result": b"1", "error": None, "reason": None},
    )


def test_complete_may_say_what_is_odd_about_the_result() -> None:
    assert lifecycle.complete(a_claim(), b"1", "odd").changes["reason"] == "odd"


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TIMED_OUT])
def test_fail_backs_off_while_a_retry_is_left(outcome: Outcome) -> None:
    claim = a_claim(failures=1)
    assert lifecycle.fail(claim, ERROR, outcome, HOUR) == Transition(
        job_id="7",
        expect=expectation(),
        status=JobStatus.QUEUED,
        later=JobStatus.SCHEDULED,
        delay=HOUR,
        token=MINE,
        outcome=outcome,
        attempt=attempt(outcome, ERROR),
        changes={"failures": 2, "error": ERROR},
    )


@pytest.mark.parametrize(
    ("failures", "retry_after"), [(2, HOUR), (2, timedelta(0)), (0, None), (7, None)]
)
def test_fail_is_for_good_without_a_retry_or_the_wish_for_one(
    failures: int, retry_after: timedelta | None
) -> None:
    claim = a_claim(failures=failures)
    write = lifecycle.fail(claim, ERROR, Outcome.TIMED_OUT, retry_after)
    assert write == Transition(
        job_id="7",
        expect=expectation(),
        status=JobStatus.FAILED,
        token=MINE,
        outcome=Outcome.TIMED_OUT,
        attempt=attempt(Outcome.TIMED_OUT, ERROR),
        changes={"failures": failures + 1, "error": ERROR, "reason": "timed_out"},
    )


def test_lose_ends_the_claim_under_a_token_of_upkeep_and_backs_off() -> None:
    claim = a_claim(losses=1, failures=2)
    assert lifecycle.lose(claim, UPKEEP, ERROR, HOUR, 3) == Transition(
        job_id="7",
        expect=expectation(lease_expired=True),
        status=JobStatus.QUEUED,
        later=JobStatus.SCHEDULED,
        delay=HOUR,
        token=UPKEEP,
        outcome=Outcome.LOST,
        attempt=attempt(Outcome.LOST, ERROR),
        changes={"losses": 2, "error": ERROR},
    )


def test_lose_without_a_delay_queues_at_once() -> None:
    write = lifecycle.lose(a_claim(), UPKEEP, ERROR, None, 3)
    assert (write.status, write.delay) == (JobStatus.QUEUED, timedelta(0))


def test_lose_fails_the_job_when_it_happened_too_often() -> None:
    write = lifecycle.lose(a_claim(losses=2), UPKEEP, ERROR, HOUR, 3)
    assert write == Transition(
        job_id="7",
        expect=expectation(lease_expired=True),
        status=JobStatus.FAILED,
        token=UPKEEP,
        outcome=Outcome.LOST,
        attempt=attempt(Outcome.LOST, ERROR),
        changes={"losses": 3, "error": ERROR, "reason": "lost"},
    )


def test_release_gives_the_job_its_old_place_and_spends_nothing() -> None:
    assert lifecycle.release(a_claim()) == Transition(
        job_id="7",
        expect=expectation(),
        status=JobStatus.QUEUED,
        token=MINE,
        outcome=Outcome.RELEASED,
        attempt=attempt(Outcome.RELEASED),
    )


def test_snooze_is_a_release_until_later_that_leaves_no_record() -> None:
    assert lifecycle.snooze(a_claim(), HOUR) == Transition(
        job_id="7",
        expect=expectation(),
        status=JobStatus.QUEUED,
        later=JobStatus.SCHEDULED,
        delay=HOUR,
        token=MINE,
        outcome=Outcome.RELEASED,
    )


def test_stop_cancels() -> None:
    assert lifecycle.stop(a_claim()) == Transition(
        job_id="7",
        expect=expectation(no_cancel_request=False),
        status=JobStatus.CANCELED,
        token=MINE,
        outcome=Outcome.CANCELED,
        attempt=attempt(Outcome.CANCELED),
        changes={"reason": "canceled"},
    )


ENDS: dict[str, Callable[[Claim], Transition]] = {
    "fail": lambda claim: lifecycle.fail(claim, ERROR, Outcome.FAILED, HOUR),
    "fail for good": lambda claim: lifecycle.fail(claim, ERROR, Outcome.FAILED, None),
    "release": lifecycle.release,
    "snooze": lambda claim: lifecycle.snooze(claim, HOUR),
    "lose": lambda claim: lifecycle.lose(claim, UPKEEP, ERROR, HOUR, 3),
    "lose for good": lambda claim: lifecycle.lose(claim, UPKEEP, ERROR, HOUR, 1),
}


@pytest.mark.parametrize("end", ENDS)
def test_every_other_end_cancels_once_that_is_requested(end: str) -> None:
    usual = ENDS[end](a_claim())
    known = ENDS[end](a_claim(cancel_requested_at=NOW))
    met = lifecycle.acknowledge(usual, a_claim())
    assert known == met
    assert (known.status, known.later, known.delay) == (JobStatus.CANCELED, None, None)
    assert known.changes == {**usual.changes, "reason": "canceled"}
    assert not known.expect.no_cancel_request
    assert known.expect.token == MINE
    assert known.expect.lease_expired is usual.expect.lease_expired
    assert (known.token, known.outcome) == (usual.token, usual.outcome)
    assert known.attempt is not None
    assert known.attempt.outcome is usual.outcome


def test_complete_completes_though_a_cancellation_is_requested() -> None:
    requested = a_claim(cancel_requested_at=NOW)
    assert lifecycle.complete(requested, b"1").status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    "status", [JobStatus.SCHEDULED, JobStatus.QUEUED, JobStatus.HELD]
)
def test_cancel_calls_a_waiting_job_off(status: JobStatus) -> None:
    job = a_job(status=status, generation=3)
    assert lifecycle.cancel(job, MINE) == Transition(
        job_id="7",
        expect=Expectation(statuses=frozenset({status}), generation=3),
        status=JobStatus.CANCELED,
        token=MINE,
        outcome=Outcome.CANCELED,
        changes={"reason": "canceled"},
    )


def test_cancel_requests_it_of_a_running_job_and_leaves_the_claim_alone() -> None:
    assert lifecycle.cancel(a_claim().job, MINE) == Transition(
        job_id="7",
        expect=Expectation(statuses=frozenset({JobStatus.IN_PROGRESS}), generation=0),
        status=JobStatus.IN_PROGRESS,
        cancel=True,
    )


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_cancel_of_a_terminal_job_is_no_step(status: JobStatus) -> None:
    with pytest.raises(TransitionError):
        lifecycle.cancel(a_job(status=status), MINE)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_retry_begins_a_generation_with_all_its_retries(status: JobStatus) -> None:
    ended = a_claim(status=status, generation=1, outcome=Outcome.FAILED, error=ERROR)
    assert lifecycle.retry(ended.job, MINE) == Transition(
        job_id="7",
        expect=Expectation(statuses=frozenset({status}), generation=1),
        status=JobStatus.QUEUED,
        delay=timedelta(0),
        token=MINE,
        attempt=attempt(Outcome.FAILED, ERROR),
        changes={
            "failures": 0,
            "losses": 0,
            "result": None,
            "error": None,
            "reason": None,
        },
        cancel=False,
        next_generation=True,
    )


@pytest.mark.parametrize("status", sorted(set(JobStatus) - TERMINAL))
def test_retry_of_an_unfinished_job_is_no_step(status: JobStatus) -> None:
    with pytest.raises(TransitionError):
        lifecycle.retry(a_job(status=status), MINE)
