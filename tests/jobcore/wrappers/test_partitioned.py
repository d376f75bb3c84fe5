"""Several stores are one: what a store must do, they do together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings

from jobcore import (
    Answer,
    Claim,
    DefaultJobManager,
    Filter,
    InMemoryJobStore,
    Inserted,
    InvalidJobError,
    Job,
    JobStatus,
    JobStore,
    Limit,
    NewJob,
    Page,
    Paused,
    QueueControl,
    ScheduleRecord,
    ScheduleStore,
    StoreUnavailableError,
    Tasks,
    TransactionalStore,
    Verifiable,
    WorkerDirectory,
    lifecycle,
)
from jobcore.testing import (
    LEASE,
    QueueControlConformance,
    a_claim,
    a_job,
    a_request,
    claimed,
    current,
    found,
    inserted,
    named,
    store_state_machine,
)
from jobcore.testing.conformance.unique import UniqueKeyRules
from jobcore.wrappers import CachingStore, PartitionedStore, by_key
from tests.jobcore.wrappers.kit import BrokenStore, WatchedStore, WholeKit, three

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@pytest.mark.slow
class TestPartitionedStoreOfOne(WholeKit):
    @pytest.fixture
    async def store(self) -> AsyncIterator[JobStore]:
        async with PartitionedStore([InMemoryJobStore()]) as store:
            yield store


class TestPartitionedStoreOfThree(WholeKit):
    @pytest.fixture
    async def store(self) -> AsyncIterator[JobStore]:
        async with PartitionedStore(three()) as store:
            yield store


class TestPartitionedStoreByKey(UniqueKeyRules, QueueControlConformance):
    @pytest.fixture
    async def store(self) -> AsyncIterator[JobStore]:
        async with PartitionedStore(three(), by_key) as store:
            yield store


TestPartitionedStoreMachine = store_state_machine(
    lambda: PartitionedStore([InMemoryJobStore()])
).TestCase
TestPartitionedStoreMachine.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None
)


def by_priority(job: NewJob, _: int) -> int:
    """So that a test can say where a job is to lie."""
    return job.priority


@pytest.fixture
async def store() -> AsyncIterator[PartitionedStore]:
    async with PartitionedStore(three(), by_priority) as store:
        yield store


def at(place: int, **fields: object) -> NewJob:
    return a_job(priority=place, **fields)


async def spread(store: JobStore, **fields: object) -> list[Job]:
    """A job in each of three stores."""
    return await inserted(store, *(at(place, **fields) for place in range(3)))


async def test_all_stores_are_opened_and_closed() -> None:
    stores = [WatchedStore(), WatchedStore()]
    async with PartitionedStore(stores):
        assert [each.is_open for each in stores] == [True, True]
    assert [each.is_open for each in stores] == [False, False]


async def test_where_one_cannot_be_opened_the_others_are_closed_again() -> None:
    first = WatchedStore()
    with pytest.raises(StoreUnavailableError):
        async with PartitionedStore([first, BrokenStore()]):
            pass
    assert not first.is_open


def test_there_must_be_a_store() -> None:
    with pytest.raises(ValueError, match="at least one"):
        PartitionedStore([])


async def test_a_job_lies_where_the_rule_leads_and_nowhere_else() -> None:
    stores = three()
    store = PartitionedStore(stores, by_priority)
    (job,) = await inserted(store, at(2))
    assert job.id.endswith(".2")
    assert [await each.get([job.id]) for each in stores] == [[None], [None], [job]]
    assert await store.get([job.id]) == [job]


@pytest.mark.parametrize("place", [-1, 3])
def test_a_rule_that_leads_nowhere_is_told_of(place: int) -> None:
    store = PartitionedStore(three(), by_priority)
    with pytest.raises(ValueError, match=f"store {place}, which is not there"):
        store.new_id(at(place))


async def test_an_id_of_no_store_is_refused_before_anything_is_written(
    store: PartitionedStore,
) -> None:
    with pytest.raises(InvalidJobError, match=r"'id\.7'"):
        await store.insert([named(store, at(1)), at(1, id="id.7")])
    assert await found(store) == []


async def test_an_id_of_no_store_is_an_id_of_no_job(store: PartitionedStore) -> None:
    claim = await a_claim(store)
    (job,) = await store.get([claim.job_id])
    assert job is not None
    stranger = Claim(job.changed({"id": "id.7"}), claim.token)
    assert await store.get(["id.7"]) == [None]
    write = lifecycle.complete(stranger, b"1")
    assert await store.apply([write]) == [Answer.MISSING]
    assert (await store.renew([stranger, claim], LEASE)).lost == {"id.7"}


async def test_a_store_is_asked_for_its_own_jobs_only() -> None:
    stores = [WatchedStore() for _ in range(3)]
    store = PartitionedStore(stores, by_priority)
    one, two, three = await spread(store)
    await store.get([three.id, one.id, three.id])
    assert [each.asked for each in stores] == [[one.id], [], [three.id] * 2]
    assert two.id.endswith(".1")


async def test_a_claim_goes_on_until_it_has_enough(store: PartitionedStore) -> None:
    await inserted(store, *(at(place) for place in (0, 1, 2) * 2))
    claims = await claimed(store, 5)
    assert [claim.job.priority for claim in claims] == sorted(
        claim.job.priority for claim in claims
    ), "in the order of claims"
    assert len(claims) == 5
    assert len(await claimed(store, 5)) == 1


async def test_claims_begin_at_another_store_each_time(store: PartitionedStore) -> None:
    await inserted(store, *(at(place) for place in (0, 1, 2) * 4))
    places = [(await claimed(store))[0].job.priority for _ in range(6)]
    assert sorted(places[:3]) == sorted(places[3:]) == [0, 1, 2]


async def test_a_claim_looks_at_as_many_entries_as_that_of_one_store(
    store: PartitionedStore,
) -> None:
    control = store.ability(QueueControl)
    assert control
    await inserted(store, *(at(place) for place in (0, 1, 2) * 30))
    await control.pause(task="greet")
    result = await store.claim(a_request())
    assert (result.examined, result.held, result.bounded) == (68, 68, True)
    result = await store.claim(a_request())
    assert (result.examined, result.held, result.bounded) == (22, 22, False)


async def test_a_repeated_claim_finds_its_jobs_in_every_store(
    store: PartitionedStore,
) -> None:
    await spread(store)
    request = a_request(limit=2)
    first = await store.claim(request)
    for _ in range(3):
        again = await store.claim(replace(request, repeated=True))
        assert again.claims == first.claims


async def test_expired_claims_come_by_age_from_all_stores(
    store: PartitionedStore,
) -> None:
    claims = []
    for place, hours in ((2, 3), (0, 1), (1, 4), (0, 2)):
        await inserted(store, at(place))
        claims += await claimed(store, lease=hours * HOUR)
    store.offset += 5 * HOUR
    ids = [claim.job_id for claim in await store.expired(3)]
    assert ids == [claims[index].job_id for index in (1, 3, 0)]


async def test_promote_tells_when_the_next_of_all_is_due(
    store: PartitionedStore,
) -> None:
    await inserted(store, *(at(n, delay=(n + 1) * HOUR) for n in range(3)))
    store.offset += HOUR
    promotion = await store.promote(9)
    assert promotion.promoted == 1
    assert promotion.next_due_in is not None
    assert HOUR - timedelta(minutes=1) < promotion.next_due_in <= HOUR


async def test_promote_leaves_no_store_behind(store: PartitionedStore) -> None:
    await spread(store, delay=HOUR)
    store.offset += HOUR
    for _ in range(3):
        assert (await store.promote(1)).promoted == 1
    assert (await store.statistics()).count(JobStatus.QUEUED) == 3


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
async def test_find_shows_all_stores_by_descending_id(
    store: PartitionedStore, size: int
) -> None:
    places = [0, 0, 0, 0, 0, 2, 1, 0, 2, 2, 2, 2, 0, 1]
    jobs = await inserted(store, *(at(place) for place in places))
    assert await found(store, page=size) == jobs[::-1]


class HastyStore(InMemoryJobStore):
    """Stops early when it is asked for a page."""

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        return await super().find(filter, cursor, min(limit, 1))


async def test_find_leaves_out_nothing_where_one_store_stops_early() -> None:
    stores = [HastyStore(), InMemoryJobStore(), HastyStore()]
    store = PartitionedStore(stores, by_priority)
    jobs = await inserted(store, *(at(place) for place in (0, 1, 1, 2, 0, 1, 2, 0)))
    assert await found(store, page=5) == jobs[::-1]


async def test_statistics_are_the_sum_of_all(store: PartitionedStore) -> None:
    first, *_ = await spread(store)
    await spread(store, queue="other", delay=HOUR)
    await claimed(store, 2)
    statistics = await store.statistics()
    assert statistics.count(JobStatus.QUEUED, "default") == 1
    assert statistics.count(JobStatus.IN_PROGRESS, "default") == 2
    assert statistics.count(JobStatus.SCHEDULED, "other") == 3
    await inserted(store, at(1))
    since = (await store.statistics()).queues["default"].oldest_due_at
    assert since is not None
    assert since >= first.due_at


async def test_delete_and_lift_share_their_limit(store: PartitionedStore) -> None:
    control = store.ability(QueueControl)
    assert control
    await inserted(store, *(at(place) for place in (0, 1, 2) * 3))
    assert await store.delete(Filter(), 4) == 4
    await control.pause(task="greet")
    await store.claim(a_request())
    await control.resume(task="greet")
    assert await control.lift(None, 3) == 3
    assert await control.lift(None, 9) == 2


async def test_pauses_and_limits_hold_in_every_store(store: PartitionedStore) -> None:
    control = store.ability(QueueControl)
    assert control
    await control.pause(queue="default")
    await spread(store)
    assert await claimed(store, 9) == []
    assert await control.paused() == Paused(queues=frozenset({"default"}))
    await control.resume(queue="default")
    await control.limit("acme", Limit(concurrency=0))
    await spread(store, limit_key="acme")
    assert len(await claimed(store, 9)) == 3


async def test_what_is_wrong_with_a_store_is_told_with_its_place() -> None:
    stores = [InMemoryJobStore() for _ in range(3)]
    store = PartitionedStore(stores, by_priority)
    (job,) = await inserted(store, at(2))
    stores[2]._records.index.in_progress[job.id] = None
    verifiable = store.ability(Verifiable)
    assert verifiable
    findings = (await verifiable.verify()).findings
    assert findings == {"in_progress": ("store 2: the index differs from the jobs",)}


class BareStore(InMemoryJobStore):
    """Has no abilities."""

    def ability(self, kind: type[object]) -> None:  # noqa: ARG002 - whichever
        return None


async def test_it_has_the_abilities_that_all_stores_have() -> None:
    full = PartitionedStore(three())
    mixed = PartitionedStore([InMemoryJobStore(), BareStore()])
    for kind in (QueueControl, Verifiable):
        assert full.ability(kind) is not None
        assert mixed.ability(kind) is None
    for kept in (WorkerDirectory, ScheduleStore):
        assert mixed.ability(kept) is not None, "the first store keeps it"
        bare = PartitionedStore([BareStore(), InMemoryJobStore()])
        assert bare.ability(kept) is None
    assert full.ability(TransactionalStore) is None


NIGHTLY = ScheduleRecord(name="nightly", revision="first", data=b"{}")


def schedules_of(store: PartitionedStore) -> ScheduleStore:
    schedules = store.ability(ScheduleStore)
    assert schedules
    return schedules


async def test_the_jobs_of_a_schedule_lie_where_others_would(
    store: PartitionedStore,
) -> None:
    jobs = [named(store, at(place)) for place in (2, 0, 1, 0)]
    fired = await schedules_of(store).fire(NIGHTLY, None, jobs)
    assert fired is not None
    assert [each.job.id for each in fired] == [job.id for job in jobs], "in this order"
    assert all(each.created for each in fired)
    assert [job.id[-2:] for job in jobs] == [".2", ".0", ".1", ".0"]
    assert {job.id for job in await found(store)} == {job.id for job in jobs}


async def test_who_fires_too_late_inserts_nothing_anywhere(
    store: PartitionedStore,
) -> None:
    schedules = schedules_of(store)
    await schedules.fire(NIGHTLY, None, [])
    late = replace(NIGHTLY, revision="second")
    jobs = [named(store, at(place)) for place in range(3)]
    assert await schedules.fire(late, "odd", jobs) is None
    assert await found(store) == []


class BusyStore(InMemoryJobStore):
    """Is not there when jobs are inserted."""

    is_there = False

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        if not self.is_there:
            raise StoreUnavailableError("busy")
        return await super().insert(jobs)


async def test_a_schedule_waits_where_its_jobs_cannot_be_inserted() -> None:
    busy = BusyStore()
    store = PartitionedStore(
        [InMemoryJobStore(), InMemoryJobStore(), busy], by_priority
    )
    schedules = schedules_of(store)
    jobs = [named(store, at(place)) for place in range(3)]
    with pytest.raises(StoreUnavailableError):
        await schedules.fire(NIGHTLY, None, jobs)
    assert await schedules.schedules() == [], "the tick has not passed"
    busy.is_there = True
    fired = await schedules.fire(NIGHTLY, None, jobs)
    assert fired is not None
    assert [each.created for each in fired] == [True, False, True], "and none is twice"


class WaitingStore(InMemoryJobStore):
    """Tells that somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.is_waited_for = asyncio.Event()

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        self.is_waited_for.set()
        await super().wait(queues, worker, timeout)


@pytest.mark.parametrize("place", range(3))
async def test_wait_returns_when_any_store_has_work(place: int) -> None:
    stores = [WaitingStore() for _ in range(3)]
    store = PartitionedStore(stores, by_priority)
    await claimed(store)
    wait = asyncio.ensure_future(store.wait(("default",), "worker", HOUR))
    await asyncio.gather(*(each.is_waited_for.wait() for each in stores))
    await inserted(store, at(place))
    await asyncio.wait_for(wait, timeout=10)
    assert not any(each._records.waiting for each in stores), "nobody waits any more"


class LateStore(InMemoryJobStore):
    """Answers after more passes of the event loop than an error takes to be raised."""

    has_answered = False

    async def expired(self, limit: int) -> list[Claim]:
        for _ in range(20):
            await asyncio.sleep(0)
        self.has_answered = True
        return await super().expired(limit)


async def test_a_store_that_fails_is_told_of_when_all_have_ended() -> None:
    late = LateStore()
    store = PartitionedStore([BrokenStore(), late])
    with pytest.raises(StoreUnavailableError):
        await store.expired(9)
    assert late.has_answered


async def test_jobs_are_spread_over_all_stores_unless_told_otherwise() -> None:
    store = PartitionedStore(three())
    jobs = await inserted(store, *(a_job() for _ in range(100)))
    assert Counter(job.id[-2:] for job in jobs).keys() == {".0", ".1", ".2"}


async def test_keys_are_kept_beside_each_other_unless_told_otherwise() -> None:
    store = PartitionedStore(three())
    limits = [None, "one", "two", "three", "four"]
    keyed = [a_job(unique_key="key", limit_key=each) for each in limits]
    answers = await store.insert([named(store, job) for job in keyed])
    assert [each.created for each in answers] == [True, False, False, False, False]


async def test_a_job_that_the_rule_refuses_is_refused_to_who_submits_it() -> None:
    tasks = Tasks()

    @tasks.task(limit=Limit(concurrency=1))
    async def send() -> None: ...

    store = PartitionedStore(three(), by_key)
    async with store, DefaultJobManager(store) as jobs:
        await jobs.submit(send.job())
        with pytest.raises(InvalidJobError, match="unique_key"):
            await jobs.submit(send.job(), unique_key="key")
        assert len((await jobs.find()).jobs) == 1


async def test_wrappers_stand_in_and_around_it() -> None:
    parts = [CachingStore(each) for each in three()]
    async with CachingStore(PartitionedStore(parts, by_priority)) as store:
        jobs = await spread(store)
        assert await store.get([job.id for job in jobs]) == jobs
        assert (await current(store, jobs[0].id)).priority == 0
