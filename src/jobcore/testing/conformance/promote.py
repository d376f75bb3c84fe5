"""The rules of `promote`."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from jobcore.claim import Promotion
from jobcore.job import JobStatus
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import (
    a_claim,
    a_job,
    claimed,
    current,
    inserted,
    neighbours,
    pass_time,
)

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def about(promotion: Promotion, length: timedelta) -> bool:
    waits = promotion.next_due_in
    return waits is not None and length - MINUTE < waits <= length


class PromoteRules(Conformance):
    async def test_promote_finds_nothing_where_nothing_waits(
        self, store: JobStore
    ) -> None:
        await a_claim(store)
        await inserted(store, a_job())
        assert await store.promote(9) == Promotion(0, None)

    async def test_promote_queues_what_is_due(self, store: JobStore) -> None:
        (job,) = await inserted(store, a_job(delay=HOUR))
        pass_time(store, HOUR)
        assert await store.promote(9) == Promotion(1, None)
        queued = await current(store, job.id)
        expected = {"status": JobStatus.QUEUED}
        assert queued == job.model_copy(update=expected), "nothing else changes"
        (claim,) = await claimed(store)
        assert claim.job_id == job.id

    async def test_promote_leaves_what_is_not_due(self, store: JobStore) -> None:
        soon, late = await inserted(store, a_job(delay=HOUR), a_job(delay=3 * HOUR))
        promotion = await store.promote(9)
        assert promotion.promoted == 0
        assert about(promotion, HOUR), "it says how long until the next is due"
        pass_time(store, HOUR)
        promotion = await store.promote(9)
        assert promotion.promoted == 1
        assert about(promotion, 2 * HOUR)
        assert await current(store, late.id) == late
        assert (await current(store, soon.id)).status is JobStatus.QUEUED

    async def test_promote_says_at_its_limit_that_more_are_due(
        self, store: JobStore
    ) -> None:
        await inserted(store, *(a_job(delay=HOUR, queue=f"q{n}") for n in range(5)))
        pass_time(store, 2 * HOUR)
        assert await store.promote(2) == Promotion(2, timedelta(0))
        assert await store.promote(2) == Promotion(2, timedelta(0))
        assert (await store.statistics()).count(JobStatus.QUEUED) == 4
        assert await store.promote(2) == Promotion(1, None)

    async def test_promote_queues_the_earliest_first(self, store: JobStore) -> None:
        delays = (3, 1, 4, 2)
        new = neighbours(store, *(a_job(delay=each * HOUR) for each in delays))
        jobs = await inserted(store, *new)
        pass_time(store, 9 * HOUR)
        for index in (1, 3, 0, 2):
            assert (await store.promote(1)).promoted == 1
            queued = await current(store, jobs[index].id)
            assert queued.status is JobStatus.QUEUED, "by due time"

    async def test_promote_lets_a_job_take_its_place_by_due_time(
        self, store: JobStore
    ) -> None:
        (early,) = await inserted(store, *neighbours(store, a_job(delay=HOUR)))
        pass_time(store, 2 * HOUR)
        (late,) = await inserted(store, *neighbours(store, a_job()))
        await store.promote(9)
        claims = await claimed(store, 9)
        assert [claim.job_id for claim in claims] == [early.id, late.id]

    async def test_promote_queues_a_job_once_under_concurrent_calls(
        self, store: JobStore
    ) -> None:
        await inserted(store, *(a_job(delay=HOUR) for _ in range(20)))
        pass_time(store, HOUR)
        promotions = await asyncio.gather(*(store.promote(9) for _ in range(5)))
        promotions += [await store.promote(20)]
        assert sum(promotion.promoted for promotion in promotions) == 20
        assert (await store.statistics()).count(JobStatus.QUEUED) == 20
        assert len({claim.job_id for claim in await claimed(store, 40)}) == 20
