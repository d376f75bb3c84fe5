"""A record keeps what belongs to a job, and the rules of every change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobcore import Answer, JobRecord, JobStatus, NewJob, Outcome, lifecycle
from jobcore.testing import ERROR, LEASE, a_job, a_request, a_token

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_record(**fields: object) -> JobRecord:
    return JobRecord.stored(a_job(id="one", **fields), NOW)


def a_claimed_record(**fields: object) -> JobRecord:
    return a_record(**fields).claimed(a_request(worker="ada"), NOW)


def test_a_record_is_the_same_after_json() -> None:
    record = a_claimed_record(payload=b"\xff", unique_key="key", timeout=HOUR)
    failed = record.after(
        lifecycle.fail(record.claim, b"\xfe", Outcome.FAILED, HOUR), NOW
    )
    for each in (record, failed):
        assert JobRecord.model_validate_json(each.model_dump_json()) == each


def test_a_claimed_record_has_the_token_of_its_claim() -> None:
    request = a_request(worker="ada")
    record = a_record().claimed(request, NOW)
    assert (record.claim.token, record.claim.job) == (request.token, record.job)
    assert (record.job.worker, record.job.attempt) == ("ada", 1)
    assert record.job.lease_until == NOW + LEASE


def test_a_record_that_is_not_in_progress_has_no_token() -> None:
    record = a_claimed_record()
    ended = record.after(lifecycle.release(record.claim), NOW)
    assert (ended.token, ended.job.status) == (None, JobStatus.QUEUED)


def test_a_lease_is_never_shortened() -> None:
    record = a_claimed_record()
    assert record.renewed(NOW) is record
    assert record.renewed(NOW + 2 * LEASE).job.lease_until == NOW + 2 * LEASE


def test_a_write_that_comes_again_is_applied_and_has_no_effect() -> None:
    record = a_claimed_record()
    write = lifecycle.snooze(record.claim, HOUR)
    after = record.after(write, NOW)
    assert after.answer(write, NOW + HOUR) is Answer.APPLIED
    assert after.after(write, NOW + HOUR) is after


def test_a_write_of_another_claim_is_refused() -> None:
    record = a_claimed_record()
    stale = lifecycle.complete(record.claim, b"1")
    other = record.after(lifecycle.release(record.claim), NOW)
    assert other.answer(stale, NOW) is Answer.TOKEN


def test_an_attempt_is_filed_once_and_shown_where_it_is_wanted() -> None:
    record = a_claimed_record(max_retries=1)
    write = lifecycle.fail(record.claim, ERROR, Outcome.FAILED, HOUR)
    after = record.after(write, NOW + HOUR)
    (attempt,) = after.shown(attempts=True).attempts
    assert (attempt.number, attempt.ended_at) == (1, NOW + HOUR)
    assert after.shown(attempts=False).attempts == ()


def test_a_unique_key_is_held_as_long_as_its_scope_says() -> None:
    scope = frozenset({JobStatus.QUEUED})
    record = a_record(unique_key="key", unique_scope=scope)
    assert record.has_unique_key
    claimed = record.claimed(a_request(), NOW)
    assert not claimed.has_unique_key
    again = claimed.after(lifecycle.release(claimed.claim), NOW)
    assert not again.has_unique_key, "a key once freed stays free"


def test_a_job_without_a_key_or_outside_its_scope_holds_none() -> None:
    scope = frozenset({JobStatus.SCHEDULED})
    assert not a_record().has_unique_key
    assert not a_record(unique_key="key", unique_scope=scope).has_unique_key


def test_the_next_generation_takes_its_unique_key_again() -> None:
    record = a_claimed_record(unique_key="key")
    ended = record.after(lifecycle.complete(record.claim, b"1"), NOW)
    assert not ended.has_unique_key
    retried = ended.after(lifecycle.retry(ended.job, a_token()), NOW)
    assert (retried.has_unique_key, retried.job.generation) == (True, 1)


def test_a_record_is_made_of_any_new_job() -> None:
    record = JobRecord.stored(NewJob(task="greet", id="one", delay=HOUR), NOW)
    assert record.job.status is JobStatus.SCHEDULED
    assert (record.token, record.receipt, record.attempts) == (None, None, ())
