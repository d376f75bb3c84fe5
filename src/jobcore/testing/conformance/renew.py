"""The rules of leases: `renew` and `expired`."""

from __future__ import annotations

from datetime import timedelta

from jobcore import lifecycle
from jobcore.claim import Claim, Renewal
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
    close,
    current,
    inserted,
    pass_time,
)

HOUR = timedelta(hours=1)


class RenewRules(Conformance):
    async def test_renew_lets_leases_end_later(self, store: JobStore) -> None:
        one, two = await a_claim(store), await a_claim(store)
        pass_time(store, LEASE / 2)
        assert await store.renew([one, two], 3 * HOUR) == Renewal()
        for claim in (one, two):
            job = await current(store, claim.job_id)
            assert close(job.lease_until, claim.job.created_at + LEASE / 2 + 3 * HOUR)
            changed = {"lease_until": job.lease_until}
            assert job == claim.job.model_copy(update=changed), "nothing else changes"

    async def test_renew_leaves_other_claims_alone(self, store: JobStore) -> None:
        one, two = await a_claim(store), await a_claim(store)
        await store.renew([one], 5 * HOUR)
        assert await current(store, two.job_id) == two.job

    async def test_renew_never_shortens_a_lease(self, store: JobStore) -> None:
        claim = await a_claim(store)
        assert await store.renew([claim], timedelta(seconds=1)) == Renewal()
        job = await current(store, claim.job_id)
        assert job.lease_until == claim.job.lease_until

    async def test_renew_repeated_has_one_effect(self, store: JobStore) -> None:
        claim = await a_claim(store)
        for _ in range(3):
            await store.renew([claim], 3 * HOUR)
        job = await current(store, claim.job_id)
        assert close(job.lease_until, claim.job.created_at + 3 * HOUR)

    async def test_renew_accepts_a_claim_whose_lease_ran_out(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        pass_time(store, 5 * LEASE)
        assert await store.renew([claim], LEASE) == Renewal()
        assert await store.expired(1) == []
        await applied(store, lifecycle.complete(claim, b"1"))

    async def test_renew_of_nothing_answers_nothing(self, store: JobStore) -> None:
        assert await store.renew([], LEASE) == Renewal()

    async def test_renew_tells_what_is_lost(self, store: JobStore) -> None:
        await inserted(store, *(a_job() for _ in range(5)))
        kept, ended, back, again, gone = await claimed(store, 5)
        await applied(
            store, *(lifecycle.complete(each, b"1") for each in (ended, gone))
        )
        await store.delete(Filter(ids=(gone.job_id,)), 1)
        await applied(store, lifecycle.release(again))
        (second,) = await claimed(store)
        await applied(store, lifecycle.release(back))
        before = await store.get([ended.job_id, back.job_id, again.job_id])
        renewal = await store.renew([ended, kept, back, again, gone], 5 * HOUR)
        expected = {each.job_id for each in (ended, back, again, gone)}
        assert renewal == Renewal(lost=frozenset(expected))
        after = await store.get([ended.job_id, back.job_id, again.job_id])
        assert after == before, "who has lost a claim renews nobody else's"
        assert second.job in after

    async def test_renew_refuses_a_token_that_was_never_given(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        forged = Claim(claim.job, a_token())
        renewal = await store.renew([forged], 5 * HOUR)
        assert renewal.lost == {claim.job_id}
        assert await current(store, claim.job_id) == claim.job

    async def test_renew_tells_of_cancel_requests(self, store: JobStore) -> None:
        one, two = await a_claim(store), await a_claim(store)
        await applied(store, lifecycle.cancel(two.job, a_token()))
        expected = Renewal(requested=frozenset({two.job_id}))
        assert await store.renew([one, two], LEASE) == expected
        assert await store.renew([one, two], LEASE) == expected, "until it has ended"

    async def test_renew_extends_a_claim_with_a_cancel_request(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await applied(store, lifecycle.cancel(claim.job, a_token()))
        await store.renew([claim], 5 * HOUR)
        job = await current(store, claim.job_id)
        assert close(job.lease_until, claim.job.created_at + 5 * HOUR), (
            "it is held until its holder acknowledges"
        )


class ExpiredRules(Conformance):
    async def test_expired_finds_nothing_while_leases_run(
        self, store: JobStore
    ) -> None:
        await a_claim(store)
        await inserted(store, a_job(), a_job(delay=timedelta(seconds=1)))
        pass_time(store, LEASE - timedelta(minutes=5))
        assert await store.expired(9) == []

    async def test_expired_finds_the_oldest_first(self, store: JobStore) -> None:
        await inserted(store, *(a_job() for _ in range(4)))
        claims = [
            (await claimed(store, lease=hours * HOUR))[0] for hours in (3, 1, 9, 2)
        ]
        pass_time(store, 4 * HOUR)
        expired = await store.expired(9)
        expected = [claims[index].job_id for index in (1, 3, 0)]
        assert [claim.job_id for claim in expired] == expected
        first = await store.expired(2)
        assert [claim.job_id for claim in first] == expected[:2], (
            "its limit leaves out the youngest"
        )

    async def test_expired_changes_nothing(self, store: JobStore) -> None:
        claim = await a_claim(store)
        pass_time(store, LEASE)
        assert await store.expired(9) == await store.expired(9)
        assert await current(store, claim.job_id) == claim.job

    async def test_expired_returns_whole_claims(self, store: JobStore) -> None:
        claim = await a_claim(store, payload=b'{"a": 1}', labels={"a": "b"})
        pass_time(store, LEASE)
        assert await store.expired(1) == [claim], "the job and the current token"

    async def test_expired_forgets_what_has_ended(self, store: JobStore) -> None:
        claim = await a_claim(store)
        pass_time(store, LEASE)
        (seen,) = await store.expired(9)
        await applied(store, lifecycle.lose(seen, a_token(), ERROR, HOUR, 3))
        assert await store.expired(9) == []
        assert await store.renew([claim], LEASE) == Renewal(
            lost=frozenset({claim.job_id})
        )
