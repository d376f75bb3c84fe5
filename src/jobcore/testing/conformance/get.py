"""The rules of `get`, and of the attempts it shows."""

from __future__ import annotations

from datetime import timedelta

from jobcore import lifecycle
from jobcore.attempt import Attempt, Outcome
from jobcore.query import Filter
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
    current,
    inserted,
    named,
    pass_time,
)

HOUR = timedelta(hours=1)


async def attempts_of(store: JobStore, job_id: str) -> tuple[Attempt, ...]:
    return (await current(store, job_id, attempts=True)).attempts


async def outcomes_of(store: JobStore, job_id: str) -> list[tuple[int, Outcome | None]]:
    return [(each.number, each.outcome) for each in await attempts_of(store, job_id)]


class GetRules(Conformance):
    async def test_get_answers_in_the_order_asked(self, store: JobStore) -> None:
        one, two, three = await inserted(store, a_job(), a_job(), a_job())
        ids = [three.id, one.id, two.id, one.id]
        assert await store.get(ids) == [three, one, two, one]

    async def test_get_answers_none_for_what_is_not_there(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, a_job())
        absent = store.new_id(a_job())
        assert await store.get([absent, job.id, "no such id"]) == [None, job, None]

    async def test_get_of_nothing_answers_nothing(self, store: JobStore) -> None:
        assert await store.get([]) == []

    async def test_get_shows_attempts_only_where_they_are_wanted(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        assert (await current(store, claim.job_id)).attempts == ()
        assert len(await attempts_of(store, claim.job_id)) == 1

    async def test_get_shows_no_attempt_of_a_job_never_claimed(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, a_job())
        assert await attempts_of(store, job.id) == ()

    async def test_get_shows_a_running_attempt_without_an_end(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        started_at = claim.job.started_at
        assert started_at is not None
        assert await attempts_of(store, claim.job_id) == (
            Attempt(number=1, worker="worker", started_at=started_at),
        )

    async def test_get_shows_the_attempt_that_ended_the_job(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.complete(claim, b"1"))
        (attempt,) = await attempts_of(store, claim.job_id)
        assert (attempt.number, attempt.outcome) == (1, Outcome.SUCCEEDED)
        assert attempt.ended_at == (await current(store, claim.job_id)).finished_at

    async def test_get_shows_every_attempt_in_order_with_its_worker_and_error(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, a_job(max_retries=20))
        errors = [ERROR.replace(b"no", f"no {n}".encode()) for n in range(12)]
        for number, error in enumerate(errors):
            (claim,) = await claimed(store, worker=f"worker-{number}")
            again = timedelta(0)
            await applied(store, lifecycle.fail(claim, error, Outcome.FAILED, again))
        shown = await attempts_of(store, job.id)
        assert [each.number for each in shown] == list(range(1, 13)), (
            "attempts rise by number, not by name"
        )
        assert [each.error for each in shown] == errors
        assert [each.worker for each in shown] == [f"worker-{n}" for n in range(12)]
        assert all(each.ended_at for each in shown)

    async def test_get_shows_how_each_attempt_ended(self, store: JobStore) -> None:
        (job,) = await inserted(store, a_job(max_retries=1))
        (claim,) = await claimed(store)
        again = timedelta(0)
        await applied(store, lifecycle.fail(claim, ERROR, Outcome.TIMED_OUT, again))
        (claim,) = await claimed(store)
        await applied(store, lifecycle.release(claim))
        (claim,) = await claimed(store)
        pass_time(store, LEASE)
        lost = lifecycle.lose(claim, a_token(), ERROR, timedelta(0), 3)
        await applied(store, lost)
        (claim,) = await claimed(store)
        await applied(store, lifecycle.fail(claim, ERROR, Outcome.FAILED, again))
        assert await outcomes_of(store, job.id) == [
            (1, Outcome.TIMED_OUT),
            (2, Outcome.RELEASED),
            (3, Outcome.LOST),
            (4, Outcome.FAILED),
        ]

    async def test_get_shows_no_attempt_that_was_snoozed(self, store: JobStore) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.snooze(claim, timedelta(0)))
        assert await attempts_of(store, claim.job_id) == ()
        await claimed(store)
        assert await outcomes_of(store, claim.job_id) == [(2, None)], (
            "numbers may have gaps"
        )

    async def test_get_shows_an_attempt_once_after_an_operators_retry(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        await applied(store, lifecycle.fail(claim, ERROR, Outcome.FAILED, HOUR))
        scheduled = await current(store, claim.job_id)
        await applied(store, lifecycle.cancel(scheduled, a_token()))
        expected = [(1, Outcome.FAILED)]
        assert await outcomes_of(store, claim.job_id) == expected
        canceled = await current(store, claim.job_id)
        await applied(store, lifecycle.retry(canceled, a_token()))
        assert await outcomes_of(store, claim.job_id) == expected, (
            "an attempt is filed once per number"
        )

    async def test_get_shows_the_last_attempt_still_after_an_operators_retry(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.complete(claim, b"1"))
        before = await attempts_of(store, claim.job_id)
        completed = await current(store, claim.job_id)
        await applied(store, lifecycle.retry(completed, a_token()))
        assert await attempts_of(store, claim.job_id) == before
        await claimed(store)
        assert await outcomes_of(store, claim.job_id) == [
            (1, Outcome.SUCCEEDED),
            (2, None),
        ]

    async def test_get_shows_no_attempt_of_an_earlier_job_of_that_id(
        self, store: JobStore
    ) -> None:
        new = named(store, a_job())
        await store.insert([new])
        (claim,) = await claimed(store)
        await applied(store, lifecycle.release(claim))
        await store.delete(Filter(ids=(new.id,)), 1)
        await store.insert([new])
        assert await attempts_of(store, new.id) == (), "delete takes attempts along"
