"""The rules of what `apply` changes, and of batches of writes."""

from __future__ import annotations

from datetime import timedelta

from jobcore import lifecycle
from jobcore.attempt import Outcome
from jobcore.job import JobStatus
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import (
    ERROR,
    LEASE,
    a_claim,
    a_job,
    a_token,
    applied,
    claimed,
    close,
    current,
    inserted,
    pass_time,
)
from jobcore.transition import Answer, Expectation, Transition

HOUR = timedelta(hours=1)


class EffectRules(Conformance):
    async def test_apply_ends_a_job_with_its_result(self, store: JobStore) -> None:
        claim = await a_claim(store)
        pass_time(store, HOUR)
        result = b'{ "x":1.0, "\\u0000": "\xc3\x9f" }\x00\xff'
        await applied(store, lifecycle.complete(claim, result))
        job = await current(store, claim.job_id)
        assert job.status is JobStatus.COMPLETED
        assert job.result == result, "a result is opaque bytes"
        assert job.outcome is Outcome.SUCCEEDED
        assert close(job.finished_at, claim.job.created_at + HOUR)
        assert job.ended_at == job.finished_at
        assert job.lease_until is None, "who has ended has no lease"
        assert job.worker == claim.job.worker, "the latest attempt stays on the job"

    async def test_apply_changes_nothing_else(self, store: JobStore) -> None:
        claim = await a_claim(store, labels={"a": "b"}, extra=b"1", max_retries=3)
        await applied(store, lifecycle.release(claim))
        job = await current(store, claim.job_id)
        changed = {"status", "lease_until", "ended_at", "outcome"}
        assert job == claim.job.model_copy(
            update={name: getattr(job, name) for name in changed}
        )

    async def test_apply_writes_every_change(self, store: JobStore) -> None:
        claim = await a_claim(store)
        write = Transition(
            job_id=claim.job_id,
            expect=Expectation(token=claim.token),
            status=JobStatus.FAILED,
            changes={
                "failures": 5,
                "losses": 7,
                "result": b"\x00\xff",
                "error": ERROR + b"\x00\xff",
                "reason": "ß 'because'",
                "extra": b'{"progress": 1}\xff',
            },
        )
        await applied(store, write)
        job = await current(store, claim.job_id)
        for name, value in write.changes.items():
            assert getattr(job, name) == value, name

    async def test_apply_clears_what_becomes_none(self, store: JobStore) -> None:
        claim = await a_claim(store)
        fail = lifecycle.fail(claim, ERROR, Outcome.FAILED, None)
        await applied(store, fail)
        failed = await current(store, claim.job_id)
        assert (failed.error, failed.reason) == (ERROR, "failed")
        await applied(store, lifecycle.retry(failed, a_token()))
        job = await current(store, claim.job_id)
        assert (job.error, job.reason, job.finished_at) == (None, None, None)

    async def test_apply_sets_a_delayed_job_for_later(self, store: JobStore) -> None:
        claim = await a_claim(store, max_retries=1)
        pass_time(store, 5 * HOUR)
        await applied(store, lifecycle.fail(claim, ERROR, Outcome.FAILED, HOUR))
        job = await current(store, claim.job_id)
        assert job.status is JobStatus.SCHEDULED
        assert close(job.due_at, claim.job.created_at + 6 * HOUR), (
            "a delay counts from now, by the clock of the store"
        )
        assert (job.failures, job.error) == (1, ERROR)
        assert job.finished_at is None

    async def test_apply_queues_a_job_delayed_by_nothing(self, store: JobStore) -> None:
        claim = await a_claim(store)
        pass_time(store, 5 * HOUR)
        await applied(store, lifecycle.snooze(claim, timedelta(0)))
        job = await current(store, claim.job_id)
        assert job.status is JobStatus.QUEUED
        assert close(job.due_at, claim.job.created_at + 5 * HOUR)
        assert await claimed(store), "what is queued can be claimed"

    async def test_apply_keeps_the_due_time_of_a_job_without_a_delay(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        pass_time(store, HOUR)
        await applied(store, lifecycle.release(claim))
        assert (await current(store, claim.job_id)).due_at == claim.job.due_at

    async def test_apply_may_keep_the_status_and_the_claim(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        write = Transition(
            job_id=claim.job_id,
            expect=Expectation(token=claim.token),
            status=JobStatus.IN_PROGRESS,
            changes={"extra": b'{"checkpoint": 7}'},
        )
        await applied(store, write, write)
        job = await current(store, claim.job_id)
        assert job == claim.job.model_copy(update={"extra": b'{"checkpoint": 7}'})
        await applied(store, lifecycle.complete(claim, b"1"))

    async def test_apply_requests_a_cancellation_once(self, store: JobStore) -> None:
        claim = await a_claim(store)
        request = lifecycle.cancel(claim.job, a_token())
        await applied(store, request)
        requested = await current(store, claim.job_id)
        assert close(requested.cancel_requested_at, claim.job.created_at)
        assert requested.status is JobStatus.IN_PROGRESS
        pass_time(store, timedelta(minutes=30))
        await applied(store, request)
        assert await current(store, claim.job_id) == requested, "the first one counts"

    async def test_apply_forgets_a_cancel_request_with_an_operators_retry(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.cancel(claim.job, a_token()))
        await applied(store, lifecycle.stop(claim))
        canceled = await current(store, claim.job_id)
        assert canceled.cancel_requested_at is not None
        await applied(store, lifecycle.retry(canceled, a_token()))
        assert (await current(store, claim.job_id)).cancel_requested_at is None

    async def test_apply_starts_the_next_generation(self, store: JobStore) -> None:
        claim = await a_claim(store, max_retries=0)
        await applied(store, lifecycle.fail(claim, ERROR, Outcome.FAILED, None))
        pass_time(store, HOUR)
        failed = await current(store, claim.job_id)
        await applied(store, lifecycle.retry(failed, a_token()))
        job = await current(store, claim.job_id)
        assert (job.generation, job.failures, job.losses) == (1, 0, 0)
        assert job.attempt == 1, "an attempt never goes back"
        assert close(job.due_at, claim.job.created_at + HOUR)
        (second,) = await claimed(store)
        assert second.job.attempt == 2

    async def test_apply_calls_off_what_waits(self, store: JobStore) -> None:
        jobs = await inserted(store, a_job(), a_job(delay=HOUR))
        await applied(store, *(lifecycle.cancel(job, a_token()) for job in jobs))
        for job in jobs:
            canceled = await current(store, job.id)
            assert canceled.status is JobStatus.CANCELED
            assert canceled.reason == "canceled"
            assert close(canceled.finished_at, job.created_at)
        pass_time(store, 2 * HOUR)
        assert (await store.promote(9)).promoted == 0
        assert await claimed(store, 9) == []

    async def test_apply_answers_a_mixed_batch_in_order(self, store: JobStore) -> None:
        await inserted(store, *(a_job(max_retries=1) for _ in range(6)))
        done, bad, back, late, gone, snoozed = await claimed(store, 6)
        await applied(store, lifecycle.release(back))
        await applied(store, lifecycle.cancel(late.job, a_token()))
        answers = await store.apply(
            [
                lifecycle.snooze(snoozed, HOUR),
                lifecycle.complete(back, b"0"),
                lifecycle.fail(bad, ERROR, Outcome.FAILED, HOUR),
                lifecycle.release(late),
                Transition(
                    job_id="no such id",
                    expect=Expectation(),
                    status=JobStatus.CANCELED,
                ),
                lifecycle.complete(done, b"1"),
                lifecycle.lose(gone, a_token(), ERROR, LEASE, 3),
            ]
        )
        assert answers == [
            Answer.APPLIED,
            Answer.TOKEN,
            Answer.APPLIED,
            Answer.CANCEL_REQUEST,
            Answer.MISSING,
            Answer.APPLIED,
            Answer.LEASE,
        ]
        assert [
            (await current(store, claim.job_id)).status
            for claim in (done, bad, back, late, gone, snoozed)
        ] == [
            JobStatus.COMPLETED,
            JobStatus.SCHEDULED,
            JobStatus.QUEUED,
            JobStatus.IN_PROGRESS,
            JobStatus.IN_PROGRESS,
            JobStatus.SCHEDULED,
        ]

    async def test_apply_makes_writes_to_one_job_in_order(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        request = lifecycle.cancel(claim.job, a_token())
        fail = lifecycle.fail(claim, ERROR, Outcome.FAILED, HOUR)
        acknowledged = lifecycle.acknowledge(fail)
        complete = lifecycle.complete(claim, b"1")
        answers = await store.apply([request, fail, acknowledged, complete])
        assert answers == [
            Answer.APPLIED,
            Answer.CANCEL_REQUEST,
            Answer.APPLIED,
            Answer.TOKEN,
        ]
        job = await current(store, claim.job_id)
        assert (job.status, job.result) == (JobStatus.CANCELED, None)
        statistics = await store.statistics()
        assert statistics.count(JobStatus.IN_PROGRESS) == 0
        assert statistics.count(JobStatus.CANCELED) == 1
