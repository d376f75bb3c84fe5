"""The rules of `statistics`."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from jobcore import lifecycle
from jobcore.job import JobStatus
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import (
    a_job,
    a_request,
    applied,
    claimed,
    found,
    inserted,
    pass_time,
)
from jobcore.testing.workload import random_work

HOUR = timedelta(hours=1)


async def agree(store: JobStore) -> None:
    """The statistics say what a look at every job says."""
    statistics = await store.statistics()
    jobs = await found(store)
    for queue in {job.queue for job in jobs} | set(statistics.queues):
        mine = [job for job in jobs if job.queue == queue]
        for status in JobStatus:
            counted = sum(job.status is status for job in mine)
            assert statistics.count(status, queue) == counted, (queue, status)
        due = [job.due_at for job in mine if job.status is JobStatus.QUEUED]
        told = statistics.queues.get(queue)
        oldest = None if told is None else told.oldest_due_at
        assert oldest == min(due, default=None), f"the oldest queued job of {queue}"
    for status in JobStatus:
        assert statistics.count(status) == sum(job.status is status for job in jobs)


class StatisticsRules(Conformance):
    async def test_statistics_of_nothing_count_nothing(self, store: JobStore) -> None:
        statistics = await store.statistics()
        assert all(statistics.count(status) == 0 for status in JobStatus)

    async def test_statistics_count_by_queue_and_status(self, store: JobStore) -> None:
        await inserted(
            store,
            *(a_job(queue="one") for _ in range(3)),
            a_job(queue="two"),
            a_job(queue="two", delay=HOUR),
        )
        (claim,) = await claimed(store, queues=("one",))
        statistics = await store.statistics()
        assert statistics.count(JobStatus.QUEUED, "one") == 2
        assert statistics.count(JobStatus.IN_PROGRESS, "one") == 1
        assert statistics.count(JobStatus.QUEUED, "two") == 1
        assert statistics.count(JobStatus.SCHEDULED, "two") == 1
        assert statistics.count(JobStatus.QUEUED) == 3
        await applied(store, lifecycle.complete(claim, b"1"))
        statistics = await store.statistics()
        assert statistics.count(JobStatus.IN_PROGRESS) == 0
        assert statistics.count(JobStatus.COMPLETED, "one") == 1
        await agree(store)

    async def test_statistics_tell_since_when_the_oldest_queued_job_is_due(
        self, store: JobStore
    ) -> None:
        one, two = await inserted(store, a_job(priority=9), a_job(delay=HOUR))
        statistics = await store.statistics()
        assert statistics.queues["default"].oldest_due_at == one.due_at
        await claimed(store)
        statistics = await store.statistics()
        assert statistics.queues["default"].oldest_due_at is None, (
            "neither running nor scheduled jobs wait for a claim"
        )
        pass_time(store, 2 * HOUR)
        await store.promote(1)
        statistics = await store.statistics()
        assert statistics.queues["default"].oldest_due_at == two.due_at

    @pytest.mark.parametrize("seed", range(5))
    async def test_statistics_are_exact_after_random_work(
        self, store: JobStore, seed: int
    ) -> None:
        async for _ in random_work(store, seed):
            await agree(store)

    async def test_statistics_are_exact_after_concurrent_work(
        self, store: JobStore
    ) -> None:
        jobs = [[a_job(queue=f"q{n}") for n in range(3)] for _ in range(8)]
        await asyncio.gather(*(inserted(store, *batch) for batch in jobs))
        requests = [a_request(limit=4, queues=("q0", "q1", "q2")) for _ in jobs]
        results = await asyncio.gather(*map(store.claim, requests))
        ends = [
            [lifecycle.complete(claim, b"1") for claim in result.claims]
            for result in results
        ]
        await asyncio.gather(*(applied(store, *batch) for batch in ends + ends))
        await agree(store)
