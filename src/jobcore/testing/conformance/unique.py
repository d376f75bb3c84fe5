"""The rules of unique keys: who holds one, until when, and who takes it again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from jobcore import lifecycle
from jobcore.attempt import Outcome
from jobcore.job import UNFINISHED, Job, JobStatus, NewJob
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import (
    ERROR,
    a_claim,
    a_job,
    a_token,
    applied,
    claimed,
    current,
    found,
    inserted,
    named,
    pass_time,
)
from jobcore.transition import Answer

HOUR = timedelta(hours=1)


def keyed(**fields: object) -> NewJob:
    return a_job(unique_key="key", **fields)


async def holder(store: JobStore) -> Job | None:
    """Who holds the key, found by an insert that is undone where it took the key."""
    (answer,) = await store.insert([named(store, keyed())])
    if not answer.created:
        return answer.job
    await store.delete(Filter(ids=(answer.job.id,)), 1)
    return None


class UniqueKeyRules(Conformance):
    async def test_insert_answers_a_held_key_with_its_holder(
        self, store: JobStore
    ) -> None:
        (first,) = await inserted(store, keyed(payload=b"1"))
        (answer,) = await store.insert([named(store, keyed(payload=b"2"))])
        assert not answer.created, "a unique key has one holder"
        assert answer.job == first
        assert len(await found(store)) == 1

    async def test_insert_takes_a_key_once_in_one_batch(self, store: JobStore) -> None:
        batch = [named(store, job) for job in (keyed(), a_job(), keyed())]
        answers = await store.insert(batch)
        assert [answer.created for answer in answers] == [True, True, False]
        assert answers[2].job.id == batch[0].id

    async def test_insert_takes_a_key_once_under_concurrent_inserts(
        self, store: JobStore
    ) -> None:
        batches = [[named(store, keyed()), named(store, a_job())] for _ in range(5)]
        answers = await asyncio.gather(*map(store.insert, batches))
        assert [first.created for first, _ in answers].count(True) == 1
        assert len({first.job.id for first, _ in answers}) == 1
        assert all(second.created for _, second in answers)

    async def test_insert_finds_keys_unique_within_one_task_only(
        self, store: JobStore
    ) -> None:
        jobs = await inserted(store, keyed(task="one"), keyed(task="two"))
        assert len({job.id for job in jobs}) == 2

    async def test_insert_finds_keys_unique_across_queues(
        self, store: JobStore
    ) -> None:
        await inserted(store, keyed(queue="one"))
        (answer,) = await store.insert([named(store, keyed(queue="two"))])
        assert not answer.created, "a key is unique within its task, in any queue"

    async def test_insert_tells_keys_apart_exactly(self, store: JobStore) -> None:
        keys = ["key", "Key", "kéy", "key2", "greet:key"]
        jobs = await inserted(store, *(a_job(unique_key=key) for key in keys))
        assert [job.unique_key for job in jobs] == keys

    async def test_insert_of_jobs_without_a_key_creates_each(
        self, store: JobStore
    ) -> None:
        assert len(await inserted(store, a_job(), a_job())) == 2

    async def test_insert_repeated_is_answered_with_its_own_job(
        self, store: JobStore
    ) -> None:
        first = named(store, keyed())
        await store.insert([first])
        (claim,) = await claimed(store)
        await applied(store, lifecycle.complete(claim, b"1"))
        (second,) = await inserted(store, keyed())
        (answer,) = await store.insert([first])
        assert not answer.created
        assert answer.job.id == first.id != second.id, (
            "an id that is known comes before a key that is held"
        )

    async def test_insert_meets_a_key_in_every_unfinished_status(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, keyed(delay=HOUR))
        assert await holder(store) == job, "held while scheduled"
        pass_time(store, HOUR)
        await store.promote(1)
        assert await holder(store) == await current(store, job.id), "while queued"
        (claim,) = await claimed(store)
        assert await holder(store) == claim.job, "while in progress"
        await applied(store, lifecycle.complete(claim, b"1"))
        assert await holder(store) is None, "free once the job is completed"

    @pytest.mark.parametrize("end", ["fail", "stop", "cancel"])
    async def test_apply_frees_the_key_where_the_job_leaves_its_scope(
        self, store: JobStore, end: str
    ) -> None:
        claim = await a_claim(store, unique_key="key")
        if end == "fail":
            write = lifecycle.fail(claim, ERROR, Outcome.FAILED, None)
        elif end == "stop":
            write = lifecycle.stop(claim)
        else:
            await applied(store, lifecycle.release(claim))
            job = await current(store, claim.job_id)
            write = lifecycle.cancel(job, a_token())
        await applied(store, write)
        assert await holder(store) is None

    async def test_apply_keeps_the_key_where_the_scope_holds_the_new_status(
        self, store: JobStore
    ) -> None:
        scope = UNFINISHED | {JobStatus.COMPLETED}
        claim = await a_claim(store, unique_key="key", unique_scope=scope)
        await applied(store, lifecycle.complete(claim, b"1"))
        assert await holder(store) == await current(store, claim.job_id)

    async def test_apply_of_a_retry_does_not_take_a_freed_key_again(
        self, store: JobStore
    ) -> None:
        scope = frozenset({JobStatus.QUEUED})
        claim = await a_claim(store, unique_key="key", unique_scope=scope)
        assert await holder(store) is None, "a claim that leaves the scope frees it"
        await applied(store, lifecycle.release(claim))
        assert (await current(store, claim.job_id)).status is JobStatus.QUEUED
        assert await holder(store) is None, "a key once freed stays free"

    async def test_promote_frees_the_key_of_a_scope_of_scheduled(
        self, store: JobStore
    ) -> None:
        scope = frozenset({JobStatus.SCHEDULED})
        await inserted(store, keyed(delay=HOUR, unique_scope=scope))
        pass_time(store, HOUR)
        await store.promote(1)
        assert await holder(store) is None

    async def test_apply_of_the_next_generation_takes_the_key_again(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store, unique_key="key")
        await applied(store, lifecycle.complete(claim, b"1"))
        completed = await current(store, claim.job_id)
        await applied(store, lifecycle.retry(completed, a_token()))
        assert await holder(store) == await current(store, claim.job_id)

    async def test_apply_of_the_next_generation_refuses_a_key_that_is_held(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store, unique_key="key")
        await applied(store, lifecycle.complete(claim, b"1"))
        (other,) = await inserted(store, keyed())
        completed = await current(store, claim.job_id)
        answers = await store.apply([lifecycle.retry(completed, a_token())])
        assert answers == [Answer.UNIQUE_KEY]
        assert await current(store, claim.job_id) == completed, "nothing changed"
        assert await holder(store) == other

    async def test_apply_of_the_next_generation_keeps_a_key_never_freed(
        self, store: JobStore
    ) -> None:
        scope = UNFINISHED | {JobStatus.COMPLETED}
        claim = await a_claim(store, unique_key="key", unique_scope=scope)
        await applied(store, lifecycle.complete(claim, b"1"))
        completed = await current(store, claim.job_id)
        await applied(store, lifecycle.retry(completed, a_token()))
        assert await holder(store) == await current(store, claim.job_id)

    async def test_apply_of_the_next_generation_takes_no_key_outside_its_scope(
        self, store: JobStore
    ) -> None:
        scope = frozenset({JobStatus.SCHEDULED})
        await inserted(store, keyed(delay=HOUR, unique_scope=scope))
        pass_time(store, HOUR)
        await store.promote(1)
        (claim,) = await claimed(store)
        await applied(store, lifecycle.complete(claim, b"1"))
        await inserted(store, keyed())
        completed = await current(store, claim.job_id)
        await applied(store, lifecycle.retry(completed, a_token()))

    async def test_apply_gives_a_key_to_one_of_two_next_generations(
        self, store: JobStore
    ) -> None:
        ended = []
        for _ in range(2):
            claim = await a_claim(store, unique_key="key")
            await applied(store, lifecycle.complete(claim, b"1"))
            ended.append(await current(store, claim.job_id))
        answers = await store.apply([lifecycle.retry(job, a_token()) for job in ended])
        assert sorted(answers) == [Answer.APPLIED, Answer.UNIQUE_KEY]

    async def test_delete_frees_the_key(self, store: JobStore) -> None:
        (job,) = await inserted(store, keyed())
        assert await store.delete(Filter(ids=(job.id,)), 1) == 1
        assert await holder(store) is None
