"""A caching store shows what the store shows, but for what others did a moment ago."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import settings

from jobcore import (
    Answer,
    DefaultJobManager,
    Filter,
    Job,
    JobConflictError,
    JobStatus,
    JobStore,
    ScheduleRecord,
    ScheduleStore,
    StoreUnavailableError,
    Transition,
    lifecycle,
)
from jobcore.memory import InMemoryJobStore
from jobcore.testing import (
    a_claim,
    a_job,
    a_token,
    applied,
    claimed,
    current,
    inserted,
    store_state_machine,
)
from jobcore.wrappers import CachingStore
from jobcore.wrappers.caching import _Memory
from tests.jobcore.wrappers.kit import WatchedStore, WholeKit

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


class TestCachingStore(WholeKit):
    @pytest.fixture
    async def store(self) -> AsyncIterator[JobStore]:
        async with CachingStore(InMemoryJobStore(), max_age=DAY) as store:
            yield store


TestCachingStoreMachine = store_state_machine(
    lambda: CachingStore(InMemoryJobStore(), max_age=DAY)
).TestCase
TestCachingStoreMachine.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None
)


@dataclass
class Scene:
    """A store, what it is cached by, and jobs that are completed in it."""

    behind: WatchedStore
    store: CachingStore

    async def done(self, number: int = 1) -> list[Job]:
        claims = [await a_claim(self.behind) for _ in range(number)]
        ends = [lifecycle.complete(claim, b"1") for claim in claims]
        await applied(self.behind, *ends)
        jobs = await self.store.get([claim.job_id for claim in claims])
        self.behind.asked.clear()
        return [job for job in jobs if job is not None]

    async def retry_elsewhere(self, job: Job) -> None:
        await applied(self.behind, lifecycle.retry(job, a_token()))


@pytest.fixture
def scene() -> Scene:
    behind = WatchedStore()
    return Scene(behind, CachingStore(behind, max_age=DAY))


@dataclass
class Hand:
    """A clock of the cache that is moved by hand."""

    now: float = 0.0


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    clock = Hand()
    monkeypatch.setattr(_Memory, "_now", lambda _: clock.now)
    return clock


async def test_a_job_that_has_ended_is_read_once(scene: Scene) -> None:
    (job,) = await scene.done()
    for _ in range(3):
        assert await scene.store.get([job.id]) == [job]
    assert scene.behind.asked == []


async def test_a_job_that_has_not_ended_is_read_each_time(scene: Scene) -> None:
    (job,) = await inserted(scene.behind, a_job())
    for _ in range(3):
        await scene.store.get([job.id, "no such id"])
    assert scene.behind.asked == [job.id, "no such id"] * 3


async def test_only_what_is_not_remembered_is_read(scene: Scene) -> None:
    one, two = await scene.done(2)
    (queued,) = await inserted(scene.behind, a_job())
    ids = [two.id, queued.id, one.id, "no such id", queued.id, two.id]
    found = await scene.store.get(ids)
    assert found == [two, queued, one, None, queued, two], "in the order asked"
    assert scene.behind.asked == [queued.id, "no such id", queued.id]


async def test_attempts_are_remembered_apart(scene: Scene) -> None:
    (job,) = await scene.done()
    for _ in range(2):
        assert len((await current(scene.store, job.id, attempts=True)).attempts) == 1
    assert (await current(scene.store, job.id)).attempts == ()
    assert scene.behind.asked == [job.id]


async def test_what_another_does_shows_when_the_record_is_too_old(
    scene: Scene, hand: Hand
) -> None:
    one, two = await scene.done(2)
    await scene.retry_elsewhere(one)
    await scene.behind.delete(Filter(ids=(two.id,)), 1)
    hand.now += DAY.total_seconds() - 1
    assert await scene.store.get([one.id, two.id]) == [one, two], "stale until then"
    hand.now += 1
    retried, gone = await scene.store.get([one.id, two.id])
    assert retried is not None
    assert (retried.status, gone) == (JobStatus.QUEUED, None)


async def test_being_asked_for_makes_no_record_younger(
    scene: Scene, hand: Hand
) -> None:
    (job,) = await scene.done()
    await scene.retry_elsewhere(job)
    for _ in range(3):
        hand.now += DAY.total_seconds() / 4
        assert await scene.store.get([job.id]) == [job]
    hand.now += DAY.total_seconds() / 4
    assert await scene.store.get([job.id]) != [job]


async def test_no_more_than_its_size_is_remembered_and_what_was_asked_last_stays() -> (
    None
):
    behind = WatchedStore()
    scene = Scene(behind, CachingStore(behind, size=2, max_age=DAY))
    one, two = await scene.done(2)
    await scene.store.get([one.id])
    (three,) = await scene.done()
    await scene.store.get([one.id, three.id])
    assert behind.asked == []
    await scene.store.get([two.id])
    assert behind.asked == [two.id]


async def test_a_retry_of_its_own_shows_at_once(scene: Scene) -> None:
    (job,) = await scene.done()
    await applied(scene.store, lifecycle.retry(job, a_token()))
    assert (await current(scene.store, job.id)).status is JobStatus.QUEUED


async def test_a_deletion_of_its_own_shows_at_once(scene: Scene) -> None:
    one, two = await scene.done(2)
    await scene.store.delete(Filter(ids=(one.id,)), 1)
    assert await scene.store.get([one.id, two.id]) == [None, two]
    assert scene.behind.asked == [one.id], "and others stay remembered"
    await scene.store.delete(Filter(statuses=frozenset({JobStatus.COMPLETED})), 9)
    assert await scene.store.get([two.id]) == [None]


async def test_a_deletion_of_nothing_forgets_nothing(scene: Scene) -> None:
    (job,) = await scene.done()
    assert await scene.store.delete(Filter(finished_for=DAY), 9) == 0
    await scene.store.get([job.id])
    assert scene.behind.asked == []


async def test_an_insert_under_the_id_of_what_another_deleted_shows_at_once(
    scene: Scene,
) -> None:
    (job,) = await scene.done()
    await scene.behind.delete(Filter(ids=(job.id,)), 1)
    (again,) = await inserted(scene.store, a_job(id=job.id))
    assert await scene.store.get([job.id]) == [again]


async def test_a_tick_under_the_id_of_what_another_deleted_shows_at_once(
    scene: Scene,
) -> None:
    (job,) = await scene.done()
    await scene.behind.delete(Filter(ids=(job.id,)), 1)
    schedules = scene.store.ability(ScheduleStore)
    assert schedules
    nightly = ScheduleRecord(name="nightly", revision="first", data=b"{}")
    fired = await schedules.fire(nightly, None, [a_job(id=job.id)])
    assert fired
    assert await scene.store.get([job.id]) == [fired[0].job]


async def test_a_claim_shows_that_another_has_retried(scene: Scene) -> None:
    (job,) = await scene.done()
    await scene.retry_elsewhere(job)
    (claim,) = await claimed(scene.store)
    assert await scene.store.get([job.id]) == [claim.job]


async def test_a_write_that_is_refused_lets_the_job_be_read_again(
    scene: Scene,
) -> None:
    (job,) = await scene.done()
    await scene.retry_elsewhere(job)
    answers = await scene.store.apply([lifecycle.retry(job, a_token())])
    assert answers == [Answer.STATUS]
    assert (await current(scene.store, job.id)).status is JobStatus.QUEUED


class SilentStore(WatchedStore):
    """Does what it is told, and does not say so."""

    is_silent = False

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        answers = await super().apply(transitions)
        if self.is_silent:
            raise StoreUnavailableError("silent")
        return answers


async def test_a_write_of_unknown_outcome_lets_the_job_be_read_again() -> None:
    behind = SilentStore()
    scene = Scene(behind, CachingStore(behind, max_age=DAY))
    (job,) = await scene.done()
    behind.is_silent = True
    with pytest.raises(StoreUnavailableError):
        await scene.store.apply([lifecycle.retry(job, a_token())])
    assert (await current(scene.store, job.id)).status is JobStatus.QUEUED


async def test_an_operator_who_was_told_of_the_past_does_no_harm(scene: Scene) -> None:
    (job,) = await scene.done()
    await scene.retry_elsewhere(job)
    async with DefaultJobManager(scene.store) as jobs:
        with pytest.raises(JobConflictError):
            await jobs.retry(job.id)
        assert (await jobs.get(job.id)).generation == 1


class GatedStore(WatchedStore):
    """Reads at once, and answers `get` when its gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.has_read = asyncio.Event()

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        found = await super().get(ids, attempts=attempts)
        self.has_read.set()
        await self.gate.wait()
        return found


async def retry(store: JobStore, job: Job) -> None:
    await applied(store, lifecycle.retry(job, a_token()))


async def delete_by_id(store: JobStore, job: Job) -> None:
    await store.delete(Filter(ids=(job.id,)), 1)


async def delete_all(store: JobStore, _: Job) -> None:
    await store.delete(Filter(), 9)


@pytest.mark.parametrize("write", [retry, delete_by_id, delete_all])
async def test_what_was_read_before_a_write_is_not_remembered_after_it(
    write: Callable[[JobStore, Job], Awaitable[None]],
) -> None:
    behind = GatedStore()
    store = CachingStore(behind, max_age=DAY)
    claim = await a_claim(behind)
    await applied(behind, lifecycle.complete(claim, b"1"))
    reading = asyncio.ensure_future(store.get([claim.job_id]))
    await behind.has_read.wait()
    done = behind._records.by_id[claim.job_id].job
    await write(store, done)
    behind.gate.set()
    assert await reading == [done], "it was so when it was read"
    assert await store.get([claim.job_id]) != [done]


async def test_nothing_is_remembered_after_it_is_closed(scene: Scene) -> None:
    async with scene.store:
        (job,) = await scene.done()
    await scene.store.get([job.id])
    assert scene.behind.asked == [job.id]
