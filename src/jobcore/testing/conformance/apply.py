"""The rules of `apply`: what it answers, and that a refusal changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from jobcore import lifecycle
from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.job import JobStatus
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import (
    ERROR,
    LEASE,
    a_claim,
    a_job,
    a_token,
    answers_of,
    applied,
    claimed,
    current,
    inserted,
    pass_time,
)
from jobcore.transition import Answer, Expectation, Transition

HOUR = timedelta(hours=1)

ENDS: dict[str, Callable[[Claim], Transition]] = {
    "complete": lambda claim: lifecycle.complete(claim, b"1"),
    "fail": lambda claim: lifecycle.fail(claim, ERROR, Outcome.FAILED, HOUR),
    "time out": lambda claim: lifecycle.fail(claim, ERROR, Outcome.TIMED_OUT, None),
    "release": lifecycle.release,
    "snooze": lambda claim: lifecycle.snooze(claim, HOUR),
    "stop": lifecycle.stop,
}
"""Every way in which the holder of a claim ends it."""

every_end: pytest.MarkDecorator = pytest.mark.parametrize("end", ENDS)


def lose(claim: Claim) -> Transition:
    return lifecycle.lose(claim, a_token(), ERROR, HOUR, 3)


async def refused(store: JobStore, transition: Transition, answer: Answer) -> None:
    """The write is answered with *answer* and changes nothing."""
    before = await store.get([transition.job_id], attempts=True)
    counts = await store.statistics()
    pass_time(store, timedelta(minutes=1))
    assert await store.apply([transition]) == [answer]
    after = await store.get([transition.job_id], attempts=True)
    assert after == before, "a refused write changes nothing"
    assert await store.statistics() == counts, "nor does it change a count"


class ApplyRules(Conformance):
    async def test_apply_of_nothing_answers_nothing(self, store: JobStore) -> None:
        assert await store.apply([]) == []

    @every_end
    async def test_apply_ends_the_claim_of_its_holder(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        await applied(store, ENDS[end](claim))
        assert (await current(store, claim.job_id)).status is not JobStatus.IN_PROGRESS

    async def test_apply_answers_missing_for_a_job_that_is_not_there(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.complete(claim, b"1"))
        await store.delete(Filter(ids=(claim.job_id,)), 1)
        await refused(store, lifecycle.complete(claim, b"1"), Answer.MISSING)

    @every_end
    async def test_apply_refuses_a_write_whose_token_was_replaced(
        self, store: JobStore, end: str
    ) -> None:
        stale = await a_claim(store, max_retries=1)
        pass_time(store, LEASE)
        back = replace(lose(stale), delay=timedelta(0))
        await applied(store, back)
        await claimed(store)
        await refused(store, ENDS[end](stale), Answer.TOKEN)

    @every_end
    async def test_apply_refuses_a_token_that_was_never_given(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store)
        forged = Claim(claim.job, a_token())
        await refused(store, ENDS[end](forged), Answer.TOKEN)

    async def test_apply_refuses_the_token_of_another_job(
        self, store: JobStore
    ) -> None:
        one, two = await a_claim(store), await a_claim(store)
        crossed = Claim(one.job, two.token)
        await refused(store, lifecycle.complete(crossed, b"1"), Answer.TOKEN)

    @every_end
    async def test_apply_accepts_an_outcome_after_the_lease_ran_out(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        pass_time(store, 5 * LEASE)
        await applied(store, ENDS[end](claim))

    async def test_apply_refuses_an_unexpected_status(self, store: JobStore) -> None:
        (job,) = await inserted(store, a_job())
        await claimed(store)
        await refused(store, lifecycle.cancel(job, a_token()), Answer.STATUS)

    async def test_apply_accepts_any_of_the_expected_statuses(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, a_job())
        wanted = frozenset({JobStatus.SCHEDULED, JobStatus.QUEUED})
        expect = Expectation(statuses=wanted)
        write = Transition(job_id=job.id, expect=expect, status=JobStatus.CANCELED)
        await applied(store, write)

    async def test_apply_refuses_an_older_generation(self, store: JobStore) -> None:
        (job,) = await inserted(store, a_job())
        await applied(store, lifecycle.cancel(job, a_token()))
        canceled = await current(store, job.id)
        await applied(store, lifecycle.retry(canceled, a_token()))
        await refused(store, lifecycle.cancel(job, a_token()), Answer.GENERATION)

    async def test_apply_refuses_to_lose_a_claim_whose_lease_runs(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await refused(store, lose(claim), Answer.LEASE)

    async def test_apply_refuses_to_lose_a_claim_that_was_renewed_meanwhile(
        self, store: JobStore
    ) -> None:
        await a_claim(store)
        pass_time(store, LEASE)
        (seen,) = await store.expired(1)
        await store.renew([seen], LEASE)
        await refused(store, lose(seen), Answer.LEASE)

    async def test_apply_refuses_to_lose_a_claim_that_was_replaced_meanwhile(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.release(claim))
        await claimed(store)
        await refused(store, lose(claim), Answer.TOKEN)

    async def test_apply_loses_a_claim_to_one_upkeep_only(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        pass_time(store, LEASE)
        await applied(store, lose(claim))
        await refused(store, lose(claim), Answer.TOKEN)
        assert (await current(store, claim.job_id)).losses == 1

    @pytest.mark.parametrize("end", ["fail", "time out", "release", "snooze"])
    async def test_apply_refuses_to_pass_over_a_cancel_request(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        await applied(store, lifecycle.cancel(claim.job, a_token()))
        write = ENDS[end](claim)
        await refused(store, write, Answer.CANCEL_REQUEST)
        await applied(store, lifecycle.acknowledge(write))
        assert (await current(store, claim.job_id)).status is JobStatus.CANCELED

    async def test_apply_refuses_to_lose_a_job_over_a_cancel_request(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.cancel(claim.job, a_token()))
        pass_time(store, LEASE)
        await refused(store, lose(claim), Answer.CANCEL_REQUEST)

    @pytest.mark.parametrize("end", ["complete", "stop"])
    async def test_apply_accepts_an_end_that_a_cancel_request_allows(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.cancel(claim.job, a_token()))
        await applied(store, ENDS[end](claim))

    async def test_apply_names_the_first_expectation_that_fails(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.cancel(claim.job, a_token()))
        expect = Expectation(
            token=a_token(),
            statuses=frozenset({JobStatus.QUEUED}),
            generation=7,
            lease_expired=True,
            no_cancel_request=True,
        )
        write = Transition(
            job_id=claim.job_id, expect=expect, status=JobStatus.CANCELED
        )
        await refused(store, write, Answer.TOKEN)
        expect = replace(expect, token=None)
        await refused(store, replace(write, expect=expect), Answer.STATUS)
        expect = replace(expect, statuses=None)
        await refused(store, replace(write, expect=expect), Answer.GENERATION)
        expect = replace(expect, generation=None)
        await refused(store, replace(write, expect=expect), Answer.LEASE)

    @every_end
    async def test_apply_refuses_a_worker_after_an_operator_took_its_job(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        taken = Transition(
            job_id=claim.job_id,
            expect=Expectation(statuses=frozenset({JobStatus.IN_PROGRESS})),
            status=JobStatus.CANCELED,
            token=a_token(),
            outcome=Outcome.CANCELED,
        )
        await applied(store, taken)
        await refused(store, ENDS[end](claim), Answer.TOKEN)

    async def test_apply_gives_a_claim_one_end_under_concurrent_writes(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        writes = [ENDS[end](claim) for end in ("complete", "release", "time out")]
        answers = await asyncio.gather(*(answers_of(store, each) for each in writes))
        assert sorted(answer for (answer,) in answers) == [
            Answer.APPLIED,
            Answer.TOKEN,
            Answer.TOKEN,
        ]
