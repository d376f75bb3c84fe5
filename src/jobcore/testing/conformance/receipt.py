"""The rules of a write that is repeated after an unknown outcome."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import permutations

import pytest

from jobcore import lifecycle
from jobcore.attempt import Outcome
from jobcore.job import JobStatus
from jobcore.store import JobStore
from jobcore.testing.conformance.apply import ENDS, every_end
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
    pass_time,
)
from jobcore.transition import Answer, Transition

HOUR = timedelta(hours=1)

SAME = ({"release", "snooze"},)
"""Ends with one outcome: under one token they are repeats of each other."""

RIVALS = [pair for pair in permutations(ENDS, 2) if set(pair) not in SAME]


async def repeat(store: JobStore, transition: Transition) -> None:
    """The write, coming again, is answered as applied and changes nothing."""
    before = await current(store, transition.job_id, attempts=True)
    counts = await store.statistics()
    pass_time(store, timedelta(minutes=1))
    answers = await store.apply([transition, transition])
    assert answers == [Answer.APPLIED] * 2, "a repeat is answered as the first was"
    after = await current(store, transition.job_id, attempts=True)
    assert after == before, "a repeat has no second effect"
    assert await store.statistics() == counts, "a repeat is not counted twice"


class ReceiptRules(Conformance):
    @every_end
    async def test_apply_repeated_has_one_effect(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        write = ENDS[end](claim)
        await applied(store, write)
        await repeat(store, write)

    @every_end
    async def test_apply_repeated_in_one_batch_has_one_effect(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        write = ENDS[end](claim)
        await applied(store, write, write)
        await repeat(store, write)
        statistics = await store.statistics()
        status = (await current(store, claim.job_id)).status
        assert {each: statistics.count(each) for each in JobStatus} == {
            each: int(each is status) for each in JobStatus
        }

    @every_end
    async def test_apply_repeated_at_the_same_time_has_one_effect(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        write = ENDS[end](claim)
        await asyncio.gather(*(applied(store, write) for _ in range(4)))
        await repeat(store, write)

    @pytest.mark.parametrize("end", ["release", "fail", "snooze"])
    async def test_apply_repeated_leaves_the_next_claim_alone(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        write = ENDS[end](claim)
        await applied(store, write)
        pass_time(store, HOUR)
        await store.promote(1)
        (second,) = await claimed(store)
        await repeat(store, write)
        await applied(store, lifecycle.complete(second, b"2"))

    async def test_apply_repeated_after_the_next_claim_ended_is_refused(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        write = lifecycle.release(claim)
        await applied(store, write)
        (second,) = await claimed(store)
        await applied(store, lifecycle.complete(second, b"2"))
        assert await store.apply([write]) == [Answer.TOKEN], (
            "only the write that ended the last claim is remembered"
        )

    @pytest.mark.parametrize(("first", "second"), RIVALS)
    async def test_apply_refuses_another_outcome_under_the_same_token(
        self, store: JobStore, first: str, second: str
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        one, other = ENDS[first](claim), ENDS[second](claim)
        assert one.outcome is not other.outcome
        await applied(store, one)
        before = await current(store, claim.job_id, attempts=True)
        assert await store.apply([other]) == [Answer.TOKEN]
        assert await current(store, claim.job_id, attempts=True) == before

    async def test_apply_takes_the_first_of_two_results(self, store: JobStore) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.complete(claim, b"1"))
        await applied(store, lifecycle.complete(claim, b"2"))
        assert (await current(store, claim.job_id)).result == b"1"

    async def test_apply_repeated_by_upkeep_loses_a_claim_once(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        pass_time(store, LEASE)
        write = lifecycle.lose(claim, a_token(), ERROR, HOUR, 3)
        await applied(store, write)
        await repeat(store, write)
        assert (await current(store, claim.job_id)).losses == 1

    async def test_apply_repeated_by_an_operator_cancels_once(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, a_job())
        write = lifecycle.cancel(job, a_token())
        await applied(store, write)
        await repeat(store, write)

    async def test_apply_repeated_by_an_operator_retries_once(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store, unique_key="key")
        await applied(store, lifecycle.fail(claim, ERROR, Outcome.FAILED, None))
        failed = await current(store, claim.job_id)
        write = lifecycle.retry(failed, a_token())
        await applied(store, write)
        await repeat(store, write)
        assert (await current(store, claim.job_id)).generation == 1

    async def test_apply_without_a_token_leaves_the_receipt(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        release = lifecycle.release(claim)
        await applied(store, release)
        (second,) = await claimed(store)
        await applied(store, lifecycle.cancel(second.job, a_token()))
        await repeat(store, release)
