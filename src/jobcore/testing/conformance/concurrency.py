"""The rules of how many jobs of a key run at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from jobcore import lifecycle
from jobcore.abilities import QueueControl
from jobcore.attempt import Outcome
from jobcore.job import JobStatus, Limit, NewJob
from jobcore.store import JobStore
from jobcore.testing.conformance.claim import ids_of
from jobcore.testing.conformance.control import ControlConformance, held, with_status
from jobcore.testing.work import (
    ERROR,
    LEASE,
    a_job,
    a_request,
    a_token,
    applied,
    claimed,
    inserted,
    neighbours,
    pass_time,
)

HOUR = timedelta(hours=1)


def limited(key: str = "acme", concurrency: int | None = 1, **fields: object) -> NewJob:
    return a_job(limit_key=key, limit=Limit(concurrency=concurrency), **fields)


class ConcurrencyRules(ControlConformance):
    async def test_claim_starts_as_many_jobs_of_a_key_as_may_run(
        self, store: JobStore
    ) -> None:
        jobs = await inserted(store, *(limited(concurrency=2) for _ in range(5)))
        result = await store.claim(a_request(limit=9))
        assert ids_of(result) == [job.id for job in jobs[:2]]
        assert (result.held, result.deferred, result.bounded) == (3, 0, False)
        changed = {"status": JobStatus.HELD, "held_by": "limit:acme"}
        assert await held(store) == [job.model_copy(update=changed) for job in jobs[2:]]

    async def test_claim_counts_what_earlier_claims_hold(self, store: JobStore) -> None:
        await inserted(store, *(limited(concurrency=3) for _ in range(5)))
        assert len(await claimed(store, 2)) == 2
        assert len(await claimed(store, 9)) == 1

    async def test_claim_counts_each_key_by_itself(self, store: JobStore) -> None:
        keys = ["acme", "Acme", "acme:1", "acme"]
        await inserted(store, *(limited(key) for key in keys), a_job(), a_job())
        claims = await claimed(store, 9)
        assert len(claims) == 5
        assert Counter(claim.job.limit_key for claim in claims) == {
            "acme": 1,
            "Acme": 1,
            "acme:1": 1,
            None: 2,
        }

    async def test_claim_counts_a_key_across_queues_and_tasks(
        self, store: JobStore
    ) -> None:
        await inserted(store, limited(queue="one"), limited(queue="two", task="send"))
        claims = await claimed(store, 9, queues=("one", "two"))
        assert [claim.job.queue for claim in claims] == ["one"]

    async def test_claim_takes_others_past_a_full_key(self, store: JobStore) -> None:
        await inserted(store, *(limited() for _ in range(9)))
        (free,) = await inserted(store, *neighbours(store, a_job(priority=5)))
        assert len(await claimed(store, 1)) == 1
        result = await store.claim(a_request())
        assert ids_of(result) == [free.id]

    async def test_claim_does_not_limit_a_key_without_figures(
        self, store: JobStore
    ) -> None:
        await inserted(store, *(a_job(limit_key="acme") for _ in range(5)))
        await inserted(store, *(limited(concurrency=None) for _ in range(5)))
        assert len(await claimed(store, 20)) == 10

    async def test_claim_finds_a_place_when_a_job_has_ended(
        self, store: JobStore
    ) -> None:
        for end in (
            lambda claim: lifecycle.complete(claim, b"1"),
            lambda claim: lifecycle.fail(claim, ERROR, Outcome.FAILED, None),
            lambda claim: lifecycle.snooze(claim, 9 * HOUR),
            lifecycle.stop,
        ):
            await inserted(store, limited())
            (claim,) = await claimed(store, 9)
            await applied(store, end(claim))

    async def test_claim_keeps_a_place_for_whom_a_lease_ran_out(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, limited(), limited())
        (claim,) = await claimed(store)
        pass_time(store, 5 * LEASE)
        assert await claimed(store) == [], "it is in progress until somebody ends it"
        await applied(store, lifecycle.lose(claim, a_token(), ERROR, HOUR, 3))
        assert await control.lift(None, 9) == 1
        assert len(await claimed(store)) == 1

    async def test_claim_never_starts_too_many_under_concurrent_claims(
        self, store: JobStore, control: QueueControl
    ) -> None:
        keys = ("acme", "other")
        jobs = [limited(keys[n % 2], 3) for n in range(24)]
        ids = {job.id for job in await inserted(store, *jobs)}
        done: set[str] = set()
        for _ in range(20):
            requests = [a_request(limit=4) for _ in range(6)]
            lifting = asyncio.ensure_future(control.lift(None, 5))
            results = await asyncio.gather(*map(store.claim, requests))
            await lifting
            running = await with_status(store, JobStatus.IN_PROGRESS)
            counts = Counter(job.limit_key for job in running)
            assert max(counts.values(), default=0) <= 3, "at most 3 of a key run"
            claims = [claim for result in results for claim in result.claims]
            await applied(store, *(lifecycle.complete(each, b"1") for each in claims))
            done |= {claim.job_id for claim in claims}
            await control.lift(None, 5)
        assert done == ids, "and each comes to its turn"

    async def test_limit_stands_over_the_figures_of_the_jobs(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, *(limited(concurrency=1) for _ in range(5)))
        await inserted(store, *(a_job(limit_key="bare") for _ in range(5)))
        await control.limit("acme", Limit(concurrency=3))
        await control.limit("bare", Limit(concurrency=2))
        claims = await claimed(store, 20)
        counts = Counter(claim.job.limit_key for claim in claims)
        assert counts == {"acme": 3, "bare": 2}

    async def test_limit_may_set_a_key_free(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, *(limited() for _ in range(5)))
        await control.limit("acme", Limit())
        assert len(await claimed(store, 20)) == 5

    async def test_limit_may_close_a_key(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, limited())
        await control.limit("acme", Limit(concurrency=0))
        assert await claimed(store) == []
        assert await control.lift(None, 9) == 0
        await control.limit("acme", None)
        assert await control.lift(None, 9) == 1

    async def test_limit_ends_with_none_and_stands_for_one_key(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, *(limited() for _ in range(3)))
        for figures in (Limit(concurrency=1), Limit(concurrency=2), None, None):
            await control.limit("acme", figures)
        await control.limit("other", Limit(concurrency=9))
        assert len(await claimed(store, 20)) == 1, "the jobs' own figures again"
