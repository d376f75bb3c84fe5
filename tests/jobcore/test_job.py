"""A job is a frozen record that decodes itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from operator import attrgetter, is_
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from jobcore import (
    TERMINAL,
    UNFINISHED,
    WAITING,
    Attempt,
    ErrorDetail,
    Job,
    JobStatus,
    Limit,
    NewJob,
    Outcome,
    Priority,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

_labels = attrgetter("labels")


def a_job(**fields: Any) -> Job:
    return Job.stored(NewJob(task="greet", id="7"), NOW).model_copy(update=fields)


def test_every_status_is_waiting_in_progress_or_terminal() -> None:
    assert {*WAITING, JobStatus.IN_PROGRESS, *TERMINAL} == set(JobStatus)
    assert not WAITING & TERMINAL
    assert set(JobStatus) - TERMINAL == UNFINISHED


def test_the_presets_of_priority_rise_from_critical_to_background() -> None:
    assert list(Priority) == sorted(Priority)
    assert [each.name for each in Priority] == [
        "CRITICAL",
        "HIGH",
        "NORMAL",
        "LOW",
        "BACKGROUND",
    ]


@pytest.mark.parametrize(
    ("times", "due_at", "status"),
    [
        ({}, NOW, JobStatus.QUEUED),
        ({"delay": timedelta(0)}, NOW, JobStatus.QUEUED),
        ({"delay": HOUR}, NOW + HOUR, JobStatus.SCHEDULED),
        ({"due_at": NOW}, NOW, JobStatus.QUEUED),
        ({"due_at": NOW - HOUR}, NOW - HOUR, JobStatus.QUEUED),
        ({"due_at": NOW + HOUR}, NOW + HOUR, JobStatus.SCHEDULED),
        ({"due_at": NOW + HOUR, "delay": 2 * HOUR}, NOW + HOUR, JobStatus.SCHEDULED),
    ],
)
def test_a_stored_job_is_queued_when_it_is_due_and_scheduled_else(
    times: dict[str, Any], due_at: datetime, status: JobStatus
) -> None:
    job = Job.stored(replace(NewJob(task="greet"), **times), NOW)
    assert (job.due_at, job.status, job.created_at) == (due_at, status, NOW)


def test_a_stored_job_has_all_that_was_given() -> None:
    new = NewJob(
        task="greet",
        id="7",
        queue="mail",
        priority=3,
        payload=b'{"a":1}',
        labels={"city": "Oslo"},
        unique_key="u",
        unique_scope=WAITING,
        limit_key="l",
        max_retries=2,
        timeout=HOUR,
        extra=b"1",
    )
    job = Job.stored(new, NOW)
    for field in ("task", "id", "queue", "priority", "payload", "labels", "extra"):
        assert getattr(job, field) == getattr(new, field)
    for field in ("unique_key", "unique_scope", "limit_key", "max_retries", "timeout"):
        assert getattr(job, field) == getattr(new, field)


@pytest.mark.parametrize(
    "change",
    [
        {"task": "part"},
        {"queue": "mail"},
        {"priority": 3},
        {"labels": {"city": "Oslo"}},
        {"unique_key": "u"},
        {"unique_scope": WAITING},
        {"limit_key": "l"},
        {"limit": Limit(rate=7)},
        {"max_retries": 2},
        {"timeout": HOUR},
        {"extra": b"1"},
        {"held_by": "approval"},
        {"due_at": NOW + HOUR},
        {"delay": HOUR},
    ],
)
def test_jobs_that_are_stored_together_are_as_if_stored_alone(
    change: dict[str, Any],
) -> None:
    new = [NewJob(task="greet", id=str(number), payload=b"1") for number in range(6)]
    new[2:4] = [replace(each, **change, payload=b"2") for each in new[2:4]]
    together = Job.stored_all(new, NOW)
    assert together == [Job.stored(each, NOW) for each in new]
    assert len({id(vars(each)) for each in together}) == len(new)
    assert all(map(is_, map(_labels, together), map(_labels, new)))


def test_of_jobs_that_are_stored_together_each_has_its_very_values() -> None:
    elsewhere = NOW.astimezone(timezone(HOUR))
    new = [NewJob(task="greet", due_at=due_at) for due_at in (NOW, elsewhere, NOW)]
    stored = [each.due_at for each in Job.stored_all(new, NOW)]
    assert [each.utcoffset() for each in stored] == [timedelta(0), HOUR, timedelta(0)]


def test_a_job_never_changes() -> None:
    with pytest.raises(ValidationError):
        a_job().status = JobStatus.FAILED


def test_a_job_has_no_fields_but_its_own() -> None:
    with pytest.raises(ValidationError):
        Job.model_validate({**a_job().model_dump(), "token": "secret"})


def test_arguments_and_failure_are_decoded() -> None:
    detail = ErrorDetail(type="ValueError", message="no")
    job = a_job(payload=b'{"a":[1]}', error=detail.model_dump_json().encode())
    assert job.arguments == {"a": [1]}
    assert job.failure == detail
    assert a_job().failure is None


def test_a_value_has_the_return_type_where_that_is_known() -> None:
    job = a_job(result=b'"2030-01-01"')
    typed = job.typed(TypeAdapter(datetime), duplicate=False)
    assert job.value == "2030-01-01"
    assert typed.value == datetime(2030, 1, 1)  # noqa: DTZ001 - a date has no zone
    assert a_job().typed(TypeAdapter(int), duplicate=False).value is None


def test_a_likeness_of_a_result_is_shown_as_plain_json() -> None:
    job = a_job(result=b"null", reason="result has 9 bytes, and 8 is the limit")
    assert job.typed(TypeAdapter(int), duplicate=False).value is None


def test_a_newer_record_keeps_the_return_type() -> None:
    job = a_job().typed(TypeAdapter(frozenset[int]), duplicate=True)
    newer = job.renewed(a_job(result=b"[1,2]"))
    assert newer.value == frozenset({1, 2})
    assert newer.is_duplicate
    assert not a_job().is_duplicate


def test_a_job_that_was_never_claimed_has_no_attempt() -> None:
    assert a_job().latest_attempt is None
    assert a_job().with_attempts(()).attempts == ()


def claimed(**fields: Any) -> Job:
    started = {"status": JobStatus.IN_PROGRESS, "attempt": 2, "worker": "w"}
    return a_job(**{**started, "started_at": NOW, **fields})


def test_a_running_attempt_has_no_end_and_no_error_of_the_one_before() -> None:
    job = claimed(error=b"{}")
    attempt = Attempt(number=2, worker="w", started_at=NOW)
    assert job.latest_attempt == attempt
    first = Attempt(number=1, worker="v", started_at=NOW, outcome=Outcome.FAILED)
    assert job.with_attempts((first,)).attempts == (first, attempt)


def test_an_attempt_is_shown_once_when_it_was_filed_already() -> None:
    filed = Attempt(number=2, worker="w", started_at=NOW, outcome=Outcome.FAILED)
    assert claimed().with_attempts((filed,)).attempts == (filed,)


@pytest.mark.parametrize("status", sorted(WAITING))
def test_a_waiting_job_shows_only_what_was_filed(status: JobStatus) -> None:
    assert claimed(status=status).with_attempts(()).attempts == ()


def test_an_attempt_decodes_its_error() -> None:
    error = b'{"type":"ValueError","message":"no"}'
    ended = claimed(status=JobStatus.FAILED, outcome=Outcome.FAILED, error=error)
    (attempt,) = ended.with_attempts(()).attempts
    assert attempt.failure == ErrorDetail(type="ValueError", message="no")
    assert Attempt(number=1, worker="w", started_at=NOW).failure is None


def test_a_trusted_job_equals_the_one_that_was_checked() -> None:
    job = a_job(status=JobStatus.COMPLETED, result=b"[1]")
    again = Job[Any].trusted(dict(vars(job)))
    assert again == job
    assert again.model_dump() == job.model_dump()
    assert again.model_copy(update={"reason": "odd"}).reason == "odd"
    with pytest.raises(ValidationError, match="frozen"):
        again.reason = "odd"


def test_a_changed_job_leaves_the_first_one_alone() -> None:
    job = a_job()
    changed = job.changed({"attempt": 7})
    assert (job.attempt, changed.attempt) == (0, 7)
    assert changed == job.model_copy(update={"attempt": 7})
