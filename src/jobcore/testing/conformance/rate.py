"""The rules of how many jobs of a key start per period."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from jobcore import lifecycle
from jobcore.abilities import QueueControl
from jobcore.job import JobStatus, Limit, NewJob
from jobcore.store import JobStore
from jobcore.testing.conformance.claim import ids_of
from jobcore.testing.conformance.control import ControlConformance, held, with_status
from jobcore.testing.work import (
    a_job,
    a_request,
    a_token,
    applied,
    claimed,
    close,
    inserted,
    pass_time,
)

HOUR = timedelta(hours=1)


def paced(burst: int = 1, key: str = "acme", **fields: object) -> NewJob:
    """A job of a key of which two start in two hours."""
    limit = Limit(rate=2, period=2 * HOUR, burst=burst)
    return a_job(limit_key=key, limit=limit, **fields)


class RateRules(ControlConformance):
    async def test_claim_defers_jobs_over_the_rate_to_instants_of_their_own(
        self, store: JobStore
    ) -> None:
        jobs = await inserted(store, *(paced() for _ in range(4)))
        result = await store.claim(a_request(limit=9))
        assert ids_of(result) == [jobs[0].id]
        assert (result.held, result.deferred, result.bounded) == (0, 3, False)
        start = result.claims[0].job.started_at
        assert start is not None
        deferred = await with_status(store, JobStatus.SCHEDULED)
        assert [job.id for job in deferred] == [job.id for job in jobs[1:]]
        for number, job in enumerate(deferred, start=1):
            assert close(job.due_at, start + number * HOUR), "one step apart"
            assert (job.attempt, job.held_by) == (0, None), "to defer is no attempt"

    async def test_claim_lets_a_burst_start_at_once(self, store: JobStore) -> None:
        await inserted(store, *(paced(burst=3) for _ in range(6)))
        (first, *others) = await claimed(store, 9)
        assert len(others) == 2
        start = first.job.created_at
        deferred = await with_status(store, JobStatus.SCHEDULED)
        for number, job in enumerate(deferred, start=1):
            assert close(job.due_at, start + number * HOUR)

    async def test_claim_starts_one_job_per_step_after_a_burst(
        self, store: JobStore
    ) -> None:
        await inserted(store, *(paced(burst=2) for _ in range(6)))
        started = [len(await claimed(store, 9))]
        for _ in range(4):
            pass_time(store, HOUR)
            await store.promote(9)
            started.append(len(await claimed(store, 9)))
        assert started == [2, 1, 1, 1, 1]

    async def test_claim_saves_no_more_than_a_burst(self, store: JobStore) -> None:
        await inserted(store, paced(burst=2))
        await claimed(store, 9)
        pass_time(store, 50 * HOUR)
        await inserted(store, *(paced(burst=2) for _ in range(5)))
        assert len(await claimed(store, 9)) == 2, "an idle key saves one burst"

    async def test_claim_starts_a_deferred_job_at_its_instant(
        self, store: JobStore
    ) -> None:
        jobs = await inserted(store, *(paced() for _ in range(4)))
        order = [claim.job_id for claim in await claimed(store, 9)]
        for _ in range(3):
            pass_time(store, HOUR)
            assert (await store.promote(9)).promoted == 1
            order += [claim.job_id for claim in await claimed(store, 9)]
        assert order == [job.id for job in jobs]

    async def test_claim_enforces_what_started_and_not_what_was_reserved(
        self, store: JobStore
    ) -> None:
        await inserted(store, *(paced() for _ in range(5)))
        await claimed(store, 9)
        deferred = await with_status(store, JobStatus.SCHEDULED)
        await applied(store, *(lifecycle.cancel(job, a_token()) for job in deferred))
        pass_time(store, HOUR)
        (newcomer,) = await inserted(store, paced())
        assert [claim.job_id for claim in await claimed(store, 9)] == [newcomer.id]

    async def test_claim_checks_the_rate_of_a_promoted_job_again(
        self, store: JobStore
    ) -> None:
        _, second = await inserted(store, paced(), paced())
        await claimed(store, 9)
        pass_time(store, HOUR)
        (newcomer,) = await inserted(store, paced(priority=-1))
        await store.promote(9)
        result = await store.claim(a_request(limit=9))
        assert ids_of(result) == [newcomer.id]
        (deferred,) = await with_status(store, JobStatus.SCHEDULED)
        assert deferred.id == second.id, "a reservation is no right to start"
        assert deferred.due_at > newcomer.created_at + HOUR / 2

    async def test_claim_counts_the_rate_of_each_key_by_itself(
        self, store: JobStore
    ) -> None:
        keys = ("acme", "other", "acme", "other")
        await inserted(store, *(paced(key=key) for key in keys))
        claims = await claimed(store, 9)
        keys_of = Counter(claim.job.limit_key for claim in claims)
        assert keys_of == {"acme": 1, "other": 1}

    async def test_claim_keeps_the_rate_under_concurrent_claims(
        self, store: JobStore
    ) -> None:
        await inserted(store, *(paced(burst=3) for _ in range(12)))
        requests = [a_request(limit=4) for _ in range(6)]
        results = await asyncio.gather(*map(store.claim, requests))
        started = [job_id for result in results for job_id in ids_of(result)]
        started += [claim.job_id for claim in await claimed(store, 9)]
        assert len(started) == len(set(started)) == 3

    async def test_claim_counts_no_start_for_a_job_that_is_held(
        self, store: JobStore, control: QueueControl
    ) -> None:
        limit = Limit(concurrency=1, rate=2, period=2 * HOUR, burst=2)
        await inserted(store, *(a_job(limit_key="acme", limit=limit) for _ in range(2)))
        (claim,) = await claimed(store, 9)
        await applied(store, lifecycle.complete(claim, b"1"))
        assert await control.lift(None, 9) == 1
        assert len(await claimed(store, 9)) == 1, "only a start counts as a start"

    async def test_claim_asks_for_a_pause_then_a_place_then_the_rate(
        self, store: JobStore, control: QueueControl
    ) -> None:
        limit = Limit(concurrency=1, rate=1, period=HOUR)
        full = a_job(limit_key="acme", limit=limit)
        await inserted(store, full)
        (claim,) = await claimed(store)
        await control.pause(task="send")
        await inserted(store, full, replace(full, task="send"))
        result = await store.claim(a_request(limit=9))
        assert (result.held, result.deferred) == (2, 0)
        reasons = {job.held_by for job in await held(store)}
        assert reasons == {"limit:acme", "task:send"}
        await applied(store, lifecycle.complete(claim, b"1"))
        assert await control.lift(None, 9) == 1
        result = await store.claim(a_request(limit=9))
        assert (result.held, result.deferred) == (0, 1)

    async def test_limit_leaves_the_pace_of_its_key(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, *(paced() for _ in range(2)))
        assert len(await claimed(store, 1)) == 1
        await control.limit("acme", Limit(rate=2, period=2 * HOUR))
        await control.limit("acme", None)
        assert await claimed(store, 1) == [], "what started has started"

    async def test_limit_overrides_a_rate(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await control.limit("acme", Limit(rate=1, period=HOUR, burst=3))
        await inserted(store, *(paced() for _ in range(5)))
        assert len(await claimed(store, 9)) == 3
        await control.limit("acme", Limit())
        await inserted(store, *(paced() for _ in range(5)))
        assert len(await claimed(store, 9)) == 5
