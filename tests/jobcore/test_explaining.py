"""Of several causes the first is named, and what a store cannot tell is left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from jobcore import (
    Cause,
    DefaultJobManager,
    Explainable,
    InMemoryJobStore,
    JobcoreConfig,
    JobNotFoundError,
    Limit,
    QueueControl,
    WorkerDirectory,
)
from jobcore.testing import pass_time
from jobcore.wrappers import PartitionedStore, StoreWrapper
from tests.acceptance.situations import (
    HOUR,
    Place,
    Prepare,
    behind_others,
    claimed_by_who_is_gone,
    held_for_its_task,
    lease_ran_out,
    limit_full,
    no_worker,
    not_promoted,
)

pytestmark = pytest.mark.anyio

A = TypeVar("A")


class Lacking(StoreWrapper):
    """A store without some abilities."""

    def __init__(self, *lacks: type) -> None:
        super().__init__(InMemoryJobStore())
        self._lacks = lacks

    def ability(self, kind: type[A]) -> A | None:
        return None if kind in self._lacks else super().ability(kind)


@asynccontextmanager
async def a_place(*lacks: type) -> AsyncIterator[Place]:
    async with (
        Lacking(*lacks) as store,
        DefaultJobManager(store, JobcoreConfig()) as jobs,
    ):
        yield Place(store, jobs)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with a_place() as place:
        yield place


async def test_a_job_is_due_before_its_queue_matters(place: Place) -> None:
    await place.jobs.pause(queue="mail")
    job = await place.submitted(delay=HOUR)
    assert (await place.jobs.explain(job)).cause is Cause.NOT_DUE


async def test_who_holds_a_job_comes_before_its_paused_queue(place: Place) -> None:
    job = await place.submitted(approval=True)
    await place.jobs.pause(queue="mail")
    assert (await place.jobs.explain(job)).cause is Cause.NEEDS_APPROVAL


async def test_its_queue_comes_before_its_task_and_workers(place: Place) -> None:
    job = await place.submitted()
    await place.jobs.pause(queue="mail", task="send")
    assert (await place.jobs.explain(job)).cause is Cause.QUEUE_PAUSED
    await place.jobs.resume(queue="mail")
    assert (await place.jobs.explain(job)).cause is Cause.TASK_PAUSED
    await place.jobs.resume(task="send")
    assert (await place.jobs.explain(job)).cause is Cause.NO_WORKER


async def test_workers_come_before_those_ahead_and_these_before_its_limit(
    place: Place,
) -> None:
    limit = Limit(concurrency=1)
    first, before, job = [
        await place.submitted(limit_key="acme", limit=limit) for _ in range(3)
    ]
    (claim,) = await place.claimed()
    assert (await place.jobs.explain(job)).cause is Cause.NO_WORKER
    await place.works(task="receive")
    assert (await place.jobs.explain(job)).cause is Cause.NO_WORKER_HAS_TASK
    await place.works("w-2")
    told = await place.jobs.explain(job)
    assert told.cause is Cause.BEHIND_OTHERS
    assert (told.ahead, told.workers) == (1, ("w-2",))
    await place.jobs.cancel(before)
    told = await place.jobs.explain(job)
    assert (told.cause, told.running) == (Cause.LIMIT_FULL, (first.id,))
    await place.jobs.complete(claim)
    assert (await place.jobs.explain(job)).cause is Cause.CLAIMABLE


async def test_a_job_that_is_not_there_is_not_explained(place: Place) -> None:
    with pytest.raises(JobNotFoundError):
        await place.jobs.explain("unknown")


async def test_what_is_told_has_its_instants(place: Place) -> None:
    job = await place.submitted(delay=HOUR)
    told = await place.jobs.explain(job)
    assert told.seen_at is not None
    assert (told.since, told.until) == (None, job.due_at)
    pass_time(place.store, 2 * HOUR)
    told = await place.jobs.explain(job)
    assert (told.since, told.until) == (job.due_at, None)
    await place.jobs.promote_due_jobs()
    (claim,) = await place.claimed()
    told = await place.jobs.explain(job)
    assert (told.since, told.until) == (claim.job.started_at, claim.job.lease_until)
    await place.jobs.complete(claim)
    told = await place.jobs.explain(job)
    assert (told.since, told.until) == (told.job.finished_at, None)
    assert [each.number for each in told.job.attempts] == [1]


LESS: list[tuple[Prepare, Cause, str]] = [
    (not_promoted, Cause.NOT_DUE, "It is due at"),
    (limit_full, Cause.HELD, "It is held by limit:acme."),
    (behind_others, Cause.CLAIMABLE, "It may be claimed from queue mail now; 3"),
    (lease_ran_out, Cause.CLAIMED, "Worker w-1, who is not among those that live, has"),
]


@pytest.mark.parametrize(
    ("prepare", "cause", "words"), LESS, ids=[each[0].__name__ for each in LESS]
)
async def test_a_store_that_explains_nothing_has_less_told(
    prepare: Prepare, cause: Cause, words: str
) -> None:
    async with a_place(Explainable) as place:
        told = await place.jobs.explain(await prepare(place))
    assert told.cause is cause
    assert told.sentence.startswith(words)
    assert told.seen_at is None


@pytest.mark.parametrize("prepare", [no_worker, claimed_by_who_is_gone])
async def test_a_store_that_knows_no_workers_says_nothing_of_them(
    prepare: Prepare,
) -> None:
    async with a_place(WorkerDirectory) as place:
        told = await place.jobs.explain(await prepare(place))
    assert told.workers is None
    assert told.cause in {Cause.CLAIMABLE, Cause.CLAIMED}
    assert "live" not in told.sentence
    assert "look" not in told.sentence


async def test_a_store_that_pauses_nothing_has_nothing_paused() -> None:
    async with a_place() as place:
        job = await held_for_its_task(place)
        lacking = Lacking(QueueControl)
        lacking.wrapped = place.store
        async with DefaultJobManager(lacking) as jobs:
            assert (await jobs.explain(job)).cause is Cause.NOT_LIFTED


async def test_a_job_in_one_of_several_stores_is_explained_there() -> None:
    stores = [InMemoryJobStore() for _ in range(3)]
    async with (
        PartitionedStore(stores) as store,
        DefaultJobManager(store, JobcoreConfig()) as jobs,
    ):
        place = Place(store, jobs)
        job = await limit_full(place)
        told = await jobs.explain(job)
        assert told.cause is Cause.LIMIT_FULL
        assert len(told.running or ()) == 2
        await place.works()
        counts = [
            (await jobs.explain(await place.submitted(priority=number))).ahead
            for number in range(9)
        ]
        assert counts != [0] * 9, "some share a store"
        assert max(each or 0 for each in counts) < 8, "not all do"
