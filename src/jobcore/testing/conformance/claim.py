"""The rules of `claim`."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from jobcore import lifecycle
from jobcore.attempt import Outcome
from jobcore.claim import ClaimResult
from jobcore.job import JobStatus
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.conformance.insert import FULL
from jobcore.testing.work import (
    ERROR,
    a_claim,
    a_job,
    a_request,
    a_token,
    applied,
    claimed,
    close,
    current,
    inserted,
    named,
    neighbours,
    pass_time,
)

HOUR = timedelta(hours=1)


def ids_of(result: ClaimResult) -> list[str]:
    return [claim.job_id for claim in result.claims]


class ClaimRules(Conformance):
    async def test_claim_starts_an_attempt_in_the_name_of_the_worker(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, a_job())
        request = a_request(worker="ada", lease=3 * HOUR)
        (claim,) = (await store.claim(request)).claims
        assert claim.token == request.token
        assert claim.job.id == job.id
        assert claim.job.status is JobStatus.IN_PROGRESS
        assert claim.job.worker == "ada"
        assert claim.job.attempt == 1
        assert close(claim.job.started_at, job.created_at)
        assert claim.job.started_at is not None
        assert claim.job.lease_until == claim.job.started_at + 3 * HOUR

    async def test_claim_counts_time_by_the_clock_of_the_store(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, a_job())
        pass_time(store, 5 * HOUR)
        (claim,) = await claimed(store, lease=HOUR)
        assert close(claim.job.started_at, job.created_at + 5 * HOUR)
        assert close(claim.job.lease_until, job.created_at + 6 * HOUR)

    async def test_claim_returns_whole_jobs(self, store: JobStore) -> None:
        new = named(store, FULL)
        await store.insert([new])
        (claim,) = await claimed(store, queues=(new.queue,))
        assert claim.job == await current(store, new.id)
        kept = {"payload", "labels", "extra", "limit", "timeout", "unique_scope"}
        for name in sorted(kept):
            assert getattr(claim.job, name) == getattr(new, name), name

    async def test_claim_forgets_how_the_attempt_before_ended(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store, max_retries=1)
        again = timedelta(0)
        await applied(store, lifecycle.fail(claim, ERROR, Outcome.FAILED, again))
        (second,) = await claimed(store, worker="other")
        assert second.job.attempt == 2, "an attempt rises by one with each claim"
        assert (second.job.outcome, second.job.ended_at) == (None, None)
        assert second.job.worker == "other"
        assert second.job.failures == 1

    async def test_claim_takes_no_more_than_its_limit(self, store: JobStore) -> None:
        await inserted(store, *(a_job() for _ in range(5)))
        assert len(await claimed(store, 3)) == 3
        assert len(await claimed(store, 3)) == 2
        assert await claimed(store, 3) == []

    async def test_claim_of_nothing_takes_nothing(self, store: JobStore) -> None:
        await inserted(store, a_job())
        assert await claimed(store, 0) == []
        assert await claimed(store, 5, queues=()) == []
        assert len(await claimed(store, 5)) == 1

    async def test_claim_takes_the_smaller_priority_first(
        self, store: JobStore
    ) -> None:
        priorities = [5, -32768, 0, 32767, -5, 100, -100]
        jobs = neighbours(store, *(a_job(priority=each) for each in priorities))
        await inserted(store, *jobs)
        claims = await claimed(store, 10)
        assert [claim.job.priority for claim in claims] == sorted(priorities)

    async def test_claim_takes_the_earlier_due_time_first(
        self, store: JobStore
    ) -> None:
        (first,) = await inserted(store, *neighbours(store, a_job()))
        ages = [timedelta(microseconds=each) for each in (3, 900, 1, 5_000_000, 2)]
        due = [first.due_at - HOUR - age for age in ages]
        jobs = neighbours(store, *(a_job(due_at=each) for each in due))
        await inserted(store, *jobs)
        claims = await claimed(store, 10)
        assert [claim.job.due_at for claim in claims] == [*sorted(due), first.due_at]

    async def test_claim_takes_the_smaller_id_first_among_equals(
        self, store: JobStore
    ) -> None:
        (first,) = await inserted(store, *neighbours(store, a_job()))
        equals = (a_job(due_at=first.due_at) for _ in range(9))
        jobs = neighbours(store, *equals)
        await store.insert(jobs[::-1])
        result = await store.claim(a_request(limit=20))
        assert ids_of(result) == [first.id, *(job.id for job in jobs)]

    async def test_claim_looks_at_priority_before_due_time(
        self, store: JobStore
    ) -> None:
        (late,) = await inserted(store, *neighbours(store, a_job(priority=1)))
        early = a_job(priority=2, due_at=late.due_at - HOUR)
        (later,) = await inserted(store, *neighbours(store, early))
        result = await store.claim(a_request(limit=2))
        assert ids_of(result) == [late.id, later.id]

    async def test_claim_takes_a_released_job_at_its_old_place(
        self, store: JobStore
    ) -> None:
        one, two = await inserted(store, *neighbours(store, a_job(), a_job()))
        (claim,) = await claimed(store)
        pass_time(store, HOUR)
        await applied(store, lifecycle.release(claim))
        assert ids_of(await store.claim(a_request(limit=2))) == [one.id, two.id]

    async def test_claim_fills_up_from_each_queue_in_turn(
        self, store: JobStore
    ) -> None:
        new = (
            a_job(queue=queue, priority=number)
            for number in (1, 2)
            for queue in ("one", "two", "three")
        )
        jobs = await inserted(store, *neighbours(store, *new))
        wished = ("two", "absent", "three", "one")
        result = await store.claim(a_request(limit=5, queues=wished))
        expected = [jobs[index].id for index in (1, 4, 2, 5, 0)]
        assert ids_of(result) == expected, "a queue is emptied before the next"

    async def test_claim_leaves_other_queues_alone(self, store: JobStore) -> None:
        await inserted(store, a_job(queue="mail"), a_job(queue="Mail"))
        claims = await claimed(store, 5, queues=("Mail", "other"))
        assert [claim.job.queue for claim in claims] == ["Mail"]

    async def test_claim_leaves_what_is_not_queued(self, store: JobStore) -> None:
        await a_claim(store)
        done = await a_claim(store)
        await applied(store, lifecycle.complete(done, b"1"))
        await inserted(store, a_job(delay=HOUR))
        (called_off,) = await inserted(store, a_job())
        await applied(store, lifecycle.cancel(called_off, a_token()))
        pass_time(store, 5 * HOUR)
        result = await store.claim(a_request(limit=9))
        assert ids_of(result) == [], "neither running, scheduled nor terminal"

    async def test_claim_hands_a_job_to_one_claim_only(self, store: JobStore) -> None:
        jobs = await inserted(store, *(a_job() for _ in range(60)))
        wishes = [a_request(limit=10, worker=f"worker-{n}") for n in range(9)]
        results = await asyncio.gather(*map(store.claim, wishes))
        results += [await store.claim(a_request(limit=60))]
        taken = Counter(job_id for result in results for job_id in ids_of(result))
        assert taken == Counter(job.id for job in jobs), "each job once"
        for result, wish in zip(results, wishes, strict=False):
            assert {claim.token for claim in result.claims} <= {wish.token}
            assert {claim.job.worker for claim in result.claims} <= {wish.worker}

    async def test_claim_says_that_it_found_the_end(self, store: JobStore) -> None:
        await inserted(store, *(a_job() for _ in range(3)))
        result = await store.claim(a_request(limit=5))
        assert not result.bounded, "it stopped at the end, not at its bound"
        assert 3 <= result.examined <= 4 * 5 + 64
        assert (result.held, result.deferred) == (0, 0)

    async def test_claim_looks_at_a_bounded_number_of_entries(
        self, store: JobStore
    ) -> None:
        await inserted(store, *(a_job() for _ in range(200)))
        result = await store.claim(a_request(limit=2))
        assert len(result.claims) == 2
        assert 2 <= result.examined <= 4 * 2 + 64
