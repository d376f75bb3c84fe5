"""A guarded write is judged by what it expects, and tells what it changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobcore import (
    TERMINAL,
    Answer,
    Attempt,
    Expectation,
    Job,
    JobStatus,
    NewJob,
    Outcome,
    Transition,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CURRENT, OLD, MINE, SECRET = "current", "old", "mine", "secret"
RUNNING = {"status": JobStatus.IN_PROGRESS, "lease_until": NOW + HOUR}


def a_job(**fields: Any) -> Job:
    return Job.stored(NewJob(task="greet", id="7"), NOW).model_copy(update=fields)


def a_write(**fields: Any) -> Transition:
    usual = {"job_id": "7", "expect": Expectation(), "status": JobStatus.COMPLETED}
    return Transition(**{**usual, **fields})


def judged(expect: Expectation, **fields: Any) -> Answer:
    job = a_job(**{**RUNNING, **fields})
    return a_write(expect=expect).answer(job, CURRENT, None, NOW)


@pytest.mark.parametrize(
    ("expect", "fields", "answer"),
    [
        (Expectation(), {}, Answer.APPLIED),
        (Expectation(token=CURRENT), {}, Answer.APPLIED),
        (Expectation(token=OLD), {}, Answer.TOKEN),
        (Expectation(statuses=TERMINAL), {}, Answer.STATUS),
        (Expectation(statuses=frozenset({JobStatus.IN_PROGRESS})), {}, Answer.APPLIED),
        (Expectation(generation=0), {}, Answer.APPLIED),
        (Expectation(generation=0), {"generation": 1}, Answer.GENERATION),
        (Expectation(lease_expired=True), {}, Answer.LEASE),
        (Expectation(lease_expired=True), {"lease_until": None}, Answer.LEASE),
        (Expectation(lease_expired=True), {"lease_until": NOW}, Answer.APPLIED),
        (Expectation(no_cancel_request=True), {}, Answer.APPLIED),
        (
            Expectation(no_cancel_request=True),
            {"cancel_requested_at": NOW},
            Answer.CANCEL_REQUEST,
        ),
        (Expectation(), {"cancel_requested_at": NOW}, Answer.APPLIED),
    ],
)
def test_a_write_is_answered_by_the_expectation_that_fails(
    expect: Expectation, fields: dict[str, Any], answer: Answer
) -> None:
    assert judged(expect, **fields) is answer


def test_the_token_is_asked_first_and_the_cancel_request_last() -> None:
    all_fail = Expectation(
        token=OLD,
        statuses=TERMINAL,
        generation=9,
        lease_expired=True,
        no_cancel_request=True,
    )
    assert judged(all_fail, cancel_requested_at=NOW) is Answer.TOKEN


def test_no_token_is_current_once_the_claim_has_ended() -> None:
    write = a_write(expect=Expectation(token=MINE))
    assert write.answer(a_job(), None, None, NOW) is Answer.TOKEN


def test_the_same_write_coming_again_is_applied_and_another_is_not() -> None:
    expect = Expectation(token=MINE)
    done = a_write(expect=expect, token=MINE, outcome=Outcome.SUCCEEDED)
    other = a_write(expect=expect, token=MINE, outcome=Outcome.FAILED)
    ended = a_job(status=JobStatus.COMPLETED)
    assert done.answer(ended, None, done.receipt, NOW) is Answer.APPLIED
    assert other.answer(ended, None, done.receipt, NOW) is Answer.TOKEN


def test_a_write_without_a_token_leaves_no_receipt() -> None:
    assert a_write().receipt is None
    write = a_write(expect=Expectation(statuses=TERMINAL))
    assert write.answer(a_job(), None, None, NOW) is Answer.STATUS


@pytest.mark.parametrize(
    ("delay", "status", "due_at"),
    [
        (timedelta(0), JobStatus.QUEUED, NOW),
        (HOUR, JobStatus.SCHEDULED, NOW + HOUR),
    ],
)
def test_a_delay_decides_between_the_two_statuses(
    delay: timedelta, status: JobStatus, due_at: datetime
) -> None:
    write = a_write(status=JobStatus.QUEUED, later=JobStatus.SCHEDULED, delay=delay)
    effect = write.effect(a_job(**RUNNING), NOW)
    assert (effect["status"], effect["due_at"]) == (status, due_at)


def test_leaving_progress_ends_the_lease_and_terminal_is_finished() -> None:
    for status in set(JobStatus) - {JobStatus.IN_PROGRESS}:
        effect = a_write(status=status).effect(a_job(**RUNNING), NOW)
        assert effect["lease_until"] is None
        held = status is JobStatus.HELD
        assert effect.get("held_by", "as it was") == ("as it was" if held else None)
        assert effect["finished_at"] == (NOW if status in TERMINAL else None)


def test_a_write_that_stays_in_progress_leaves_the_lease() -> None:
    effect = a_write(status=JobStatus.IN_PROGRESS, cancel=True).effect(a_job(), NOW)
    assert effect == {"status": JobStatus.IN_PROGRESS, "cancel_requested_at": NOW}


def test_a_second_request_keeps_the_time_of_the_first_and_a_retry_forgets_it() -> None:
    asked = a_job(cancel_requested_at=NOW - HOUR)
    request = a_write(status=JobStatus.IN_PROGRESS, cancel=True)
    assert request.effect(asked, NOW)["cancel_requested_at"] == NOW - HOUR
    assert a_write(cancel=False).effect(asked, NOW)["cancel_requested_at"] is None


def test_an_attempt_ends_when_the_write_happens_unless_it_ended_before() -> None:
    running = Attempt(number=1, worker="w", started_at=NOW, outcome=Outcome.RELEASED)
    earlier = Attempt(number=1, worker="w", started_at=NOW, ended_at=NOW - HOUR)
    for attempt, ended_at in ((running, NOW), (earlier, NOW - HOUR)):
        write = a_write(status=JobStatus.QUEUED, attempt=attempt)
        filed = write.filed(NOW)
        assert filed is not None
        assert filed.ended_at == write.effect(a_job(), NOW)["ended_at"] == ended_at


def test_only_a_job_that_goes_on_has_its_attempt_filed() -> None:
    attempt = Attempt(number=1, worker="w", started_at=NOW)
    assert a_write(status=JobStatus.COMPLETED, attempt=attempt).filed(NOW) is None
    assert a_write(status=JobStatus.QUEUED).filed(NOW) is None


def test_the_next_generation_is_one_more() -> None:
    write = a_write(next_generation=True)
    assert write.effect(a_job(generation=4), NOW)["generation"] == 5
    assert "generation" not in a_write().effect(a_job(), NOW)


def test_tokens_are_not_shown() -> None:
    write = a_write(expect=Expectation(token=SECRET), token=SECRET)
    assert SECRET not in repr(write)
