"""The rules of a claim that is repeated after an unknown outcome."""

from __future__ import annotations

from dataclasses import replace

from jobcore import lifecycle
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.conformance.claim import ids_of
from jobcore.testing.work import (
    LEASE,
    a_job,
    a_request,
    a_token,
    applied,
    inserted,
    neighbours,
    pass_time,
)


class RepeatedClaimRules(Conformance):
    async def test_claim_repeated_returns_what_it_took(self, store: JobStore) -> None:
        new = (
            a_job(queue=queue, priority=-n)
            for queue in ("one", "two")
            for n in range(4)
        )
        await inserted(store, *neighbours(store, *new))
        request = a_request(limit=5, queues=("two", "one"))
        first = await store.claim(request)
        again = await store.claim(replace(request, repeated=True))
        assert ids_of(again) == ids_of(first), "the same jobs in the same order"
        assert again.claims == first.claims, "attempt and lease did not change"

    async def test_claim_repeated_returns_jobs_of_any_queue(
        self, store: JobStore
    ) -> None:
        await inserted(store, a_job(queue="one"), a_job(queue="two"))
        request = a_request(queues=("one",))
        first = await store.claim(request)
        again = replace(request, queues=("two",), repeated=True)
        assert ids_of(await store.claim(again)) == ids_of(first)

    async def test_claim_repeated_takes_no_more(self, store: JobStore) -> None:
        await inserted(store, a_job())
        request = a_request(limit=5)
        first = await store.claim(request)
        await inserted(store, a_job())
        again = await store.claim(replace(request, repeated=True))
        assert ids_of(again) == ids_of(first), "though its limit had room"

    async def test_claim_repeated_for_nothing_returns_what_it_took(
        self, store: JobStore
    ) -> None:
        await inserted(store, a_job(), a_job())
        request = a_request()
        first = await store.claim(request)
        asked = replace(request, limit=0, repeated=True)
        assert ids_of(await store.claim(asked)) == ids_of(first)
        never = replace(asked, token=a_token())
        assert ids_of(await store.claim(never)) == [], "and else takes nothing"

    async def test_claim_repeated_leaves_out_what_has_ended(
        self, store: JobStore
    ) -> None:
        await inserted(store, *(a_job() for _ in range(3)))
        request = a_request(limit=2)
        kept, ended = (await store.claim(request)).claims
        await applied(store, lifecycle.release(ended))
        again = await store.claim(replace(request, repeated=True))
        assert ids_of(again) == [kept.job_id]

    async def test_claim_repeated_leaves_out_what_another_claim_has_now(
        self, store: JobStore
    ) -> None:
        await inserted(store, a_job(), a_job())
        request = a_request(limit=2)
        kept, ended = (await store.claim(request)).claims
        await applied(store, lifecycle.release(ended))
        await store.claim(a_request(limit=2))
        again = await store.claim(replace(request, repeated=True))
        assert ids_of(again) == [kept.job_id]

    async def test_claim_repeated_takes_jobs_where_the_first_took_none(
        self, store: JobStore
    ) -> None:
        request = a_request(limit=2)
        await inserted(store, a_job(), a_job(), a_job())
        again = await store.claim(replace(request, repeated=True))
        assert len(again.claims) == 2, "the first never came, so this is the first"
        assert {claim.job.attempt for claim in again.claims} == {1}

    async def test_claim_repeated_returns_jobs_whose_lease_ran_out(
        self, store: JobStore
    ) -> None:
        await inserted(store, *neighbours(store, a_job(), a_job(), a_job()))
        request = a_request()
        first = await store.claim(request)
        pass_time(store, LEASE)
        await store.claim(a_request())
        again = await store.claim(replace(request, repeated=True))
        assert ids_of(again) == ids_of(first), "an end of a lease changes nothing"
