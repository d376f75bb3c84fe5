"""The rules of `delete`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobcore import lifecycle
from jobcore.job import UNFINISHED, JobStatus
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.conformance.find import FILTERS, a_crowd
from jobcore.testing.work import (
    a_claim,
    a_job,
    applied,
    claimed,
    found,
    inserted,
    neighbours,
    pass_time,
)

HOUR = timedelta(hours=1)


class DeleteRules(Conformance):
    async def test_delete_takes_terminal_and_waiting_jobs(
        self, store: JobStore
    ) -> None:
        done = await a_claim(store)
        await applied(store, lifecycle.complete(done, b"1"))
        running = await a_claim(store)
        await inserted(store, a_job(), a_job(delay=HOUR))
        assert await store.delete(Filter(), 100) == 3
        assert await found(store) == [running.job], "what is in progress stays"
        statistics = await store.statistics()
        counts = [statistics.count(status) for status in JobStatus]
        assert sum(counts) == 1 == statistics.count(JobStatus.IN_PROGRESS)

    async def test_delete_never_takes_a_job_in_progress(self, store: JobStore) -> None:
        claim = await a_claim(store)
        pass_time(store, 9 * HOUR)
        for wanted in (
            Filter(ids=(claim.job_id,)),
            Filter(statuses=frozenset({JobStatus.IN_PROGRESS})),
            Filter(statuses=UNFINISHED),
        ):
            assert await store.delete(wanted, 9) == 0
        await applied(store, lifecycle.complete(claim, b"1"))

    @pytest.mark.parametrize("name", FILTERS)
    async def test_delete_answers_a_filter_as_find_does(
        self, store: JobStore, name: str
    ) -> None:
        await a_crowd(store)
        everything = await found(store)
        wanted, means = FILTERS[name]
        matching = [job for job in everything if means(job)]
        gone = [job for job in matching if job.status is not JobStatus.IN_PROGRESS]
        assert await store.delete(wanted, 100) == len(gone)
        assert await found(store) == [job for job in everything if job not in gone]

    async def test_delete_takes_the_oldest_first_up_to_its_limit(
        self, store: JobStore
    ) -> None:
        for job in neighbours(store, *(a_job() for _ in range(6))):
            claim = await a_claim(store, id=job.id)
            await applied(store, lifecycle.complete(claim, b"1"))
            pass_time(store, timedelta(minutes=1))
        everything = await found(store)
        ended = Filter(statuses=frozenset({JobStatus.COMPLETED}))
        assert await store.delete(ended, 2) == 2
        assert await found(store) == everything[:4]
        assert await store.delete(ended, 9) == 4
        assert await store.delete(ended, 9) == 0

    async def test_delete_takes_what_finished_first_where_it_asks_for_age(
        self, store: JobStore
    ) -> None:
        await inserted(
            store, *neighbours(store, *(a_job(priority=-n) for n in range(4)))
        )
        claims = await claimed(store, 4)
        for claim in claims:
            await applied(store, lifecycle.complete(claim, b"1"))
            pass_time(store, HOUR)
        for number in range(4):
            assert await store.delete(Filter(finished_for=timedelta(0)), 1) == 1
            left = {job.id for job in await found(store)}
            assert left == {claim.job_id for claim in claims[number + 1 :]}

    async def test_delete_counts_the_age_of_an_end_by_the_clock_of_the_store(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store)
        await inserted(store, a_job())
        pass_time(store, 5 * HOUR)
        await applied(store, lifecycle.complete(claim, b"1"))
        old = Filter(finished_for=HOUR)
        assert await store.delete(old, 9) == 0, "the age counts from the end"
        pass_time(store, HOUR)
        assert await store.delete(old, 9) == 1
        assert len(await found(store)) == 1, "what has not ended has no age"

    async def test_delete_takes_a_job_once_whose_id_is_named_twice(
        self, store: JobStore
    ) -> None:
        one, two = await inserted(store, a_job(), a_job())
        wanted = Filter(ids=(one.id, "no such id", one.id))
        assert await store.delete(wanted, 9) == 1
        assert await store.delete(wanted, 9) == 0, "a repeat finds nothing more"
        assert await found(store) == [two]

    async def test_delete_takes_a_job_out_of_its_queue(self, store: JobStore) -> None:
        queued, _ = await inserted(store, a_job(), a_job(delay=HOUR))
        assert await store.delete(Filter(), 9) == 2
        pass_time(store, HOUR)
        assert (await store.promote(9)).promoted == 0
        assert await claimed(store, 9) == []
        assert await store.get([queued.id]) == [None]
