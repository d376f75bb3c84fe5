"""An instrumented store does what the store does, and tells of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import settings

from jobcore import (
    Answer,
    Filter,
    Inserted,
    InTransaction,
    JobStore,
    NewJob,
    QueueControl,
    ScheduleRecord,
    ScheduleStore,
    StoreUnavailableError,
    TransactionalStore,
    Transition,
    Verifiable,
    WorkerDirectory,
    WorkerRecord,
    lifecycle,
)
from jobcore.memory import InMemoryJobStore
from jobcore.testing import (
    LEASE,
    a_job,
    a_request,
    inserted,
    named,
    store_state_machine,
)
from jobcore.wrappers import InstrumentedStore, StoreCall
from tests.jobcore.wrappers.kit import BrokenStore, WholeKit

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


def nobody(_: StoreCall) -> None:
    """Listens to nothing."""


class TestInstrumentedStore(WholeKit):
    @pytest.fixture
    async def store(self) -> AsyncIterator[JobStore]:
        async with InstrumentedStore(InMemoryJobStore(), nobody) as store:
            yield store


TestInstrumentedStoreMachine = store_state_machine(
    lambda: InstrumentedStore(InMemoryJobStore(), nobody)
).TestCase
TestInstrumentedStoreMachine.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None
)


class Told:
    """An observer, and a store that it observes."""

    def __init__(self, store: JobStore) -> None:
        self.calls: list[StoreCall] = []
        self.store = InstrumentedStore(store, self.calls.append)

    def verbs(self) -> list[tuple[str, int]]:
        """What was told since this was asked last, and of how many jobs."""
        verbs = [(each.verb, each.jobs) for each in self.calls]
        self.calls.clear()
        return verbs


@pytest.fixture
def told() -> Told:
    return Told(InMemoryJobStore())


async def test_it_tells_of_each_verb_and_how_many_jobs_it_is_about(told: Told) -> None:
    store = told.store
    one, two, _ = await inserted(store, a_job(), a_job(), a_job(delay=HOUR))
    await store.get([one.id, "no such id"])
    claims = (await store.claim(a_request(limit=5))).claims
    await store.renew(claims, LEASE)
    await store.apply([lifecycle.complete(claims[0], b"1")])
    store.offset += 2 * LEASE
    await store.expired(9)
    await store.promote(9)
    await store.find(Filter(), None, 9)
    await store.statistics()
    await store.delete(Filter(ids=(one.id, two.id)), 9)
    assert told.verbs() == [
        ("insert", 3),
        ("get", 2),
        ("claim", 2),
        ("renew", 2),
        ("apply", 1),
        ("expired", 1),
        ("promote", 1),
        ("find", 3),
        ("statistics", 0),
        ("delete", 1),
    ]


async def test_it_tells_of_the_calls_of_abilities(told: Told) -> None:
    control = told.store.ability(QueueControl)
    directory = told.store.ability(WorkerDirectory)
    verifiable = told.store.ability(Verifiable)
    assert control
    assert directory
    assert verifiable
    await inserted(told.store, a_job())
    await control.pause(task="greet")
    await told.store.claim(a_request())
    await control.resume(task="greet")
    await control.paused()
    await control.limit("key", None)
    await control.lift(None, 9)
    await directory.seen(WorkerRecord(id="worker"), HOUR)
    await directory.workers()
    await directory.turn("prune", HOUR)
    await directory.gone("worker")
    await verifiable.verify()
    verbs = ["pause", "resume", "paused", "limit", "lift"]
    verbs += ["seen", "workers", "turn", "gone", "verify"]
    jobs = {"insert": 1, "claim": 0, "lift": 1}
    expected = ["insert", "pause", "claim", *verbs[1:]]
    assert told.verbs() == [(verb, jobs.get(verb, 0)) for verb in expected]


async def test_it_tells_of_schedules_and_how_many_jobs_are_made(told: Told) -> None:
    schedules = told.store.ability(ScheduleStore)
    assert schedules
    nightly = ScheduleRecord(name="nightly", revision="first", data=b"{}")
    jobs = [named(told.store, a_job()) for _ in range(2)]
    await schedules.fire(nightly, None, jobs)
    await schedules.schedules()
    await schedules.due_schedules(9)
    await schedules.unschedule("nightly")
    verbs = ["schedules", "due_schedules", "unschedule"]
    assert told.verbs() == [("fire", 2), *((verb, 0) for verb in verbs)]


class StoreWithin(InMemoryJobStore, TransactionalStore):
    """Has transactions that are none."""

    def using(self, connection: object) -> InTransaction:
        assert connection == "connection"
        return self


async def test_it_tells_of_calls_within_a_transaction() -> None:
    told = Told(StoreWithin())
    ability = told.store.ability(TransactionalStore)
    assert ability
    within = ability.using("connection")
    new = a_job(id="1")
    await within.insert([new])
    (claim,) = (await told.store.claim(a_request())).claims
    answers = await within.apply([lifecycle.complete(claim, b"1")])
    assert answers == [Answer.APPLIED]
    assert told.verbs() == [("insert", 1), ("claim", 1), ("apply", 1)]


def test_an_ability_that_the_store_lacks_stays_lacking(told: Told) -> None:
    assert told.store.ability(TransactionalStore) is None


class SlowStore(InMemoryJobStore):
    """Inserts take an hour, on the clock of the loop."""

    def __init__(self, clock: Callable[[timedelta], None]) -> None:
        super().__init__()
        self._pass = clock

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        self._pass(HOUR)
        return await super().insert(jobs)


async def test_it_measures_by_a_clock_that_is_never_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    now = loop.time()

    def let_pass(length: timedelta) -> None:
        nonlocal now
        now += length.total_seconds()

    told = Told(SlowStore(let_pass))
    job = a_job(id="1")
    with monkeypatch.context() as patched:
        patched.setattr(loop, "time", lambda: now)
        await told.store.insert([job])
    (call,) = told.calls
    assert abs(call.took - HOUR) < timedelta(milliseconds=1)


async def test_it_tells_of_an_error_and_raises_it() -> None:
    told = Told(BrokenStore())
    with pytest.raises(StoreUnavailableError) as raised:
        await told.store.expired(9)
    (call,) = told.calls
    assert (call.verb, call.jobs, call.error) == ("expired", 0, raised.value)


class StuckStore(InMemoryJobStore):
    """Never answers a write."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        self.asked.set()
        await asyncio.Event().wait()
        return await super().apply(transitions)


async def test_it_tells_that_a_call_was_cancelled() -> None:
    stuck = StuckStore()
    told = Told(stuck)
    call = asyncio.ensure_future(told.store.apply([]))
    await stuck.asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [type(each.error) for each in told.calls] == [asyncio.CancelledError]


async def test_an_observer_that_fails_changes_nothing_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: StoreCall) -> None:
        raise ZeroDivisionError

    store = InstrumentedStore(InMemoryJobStore(), fail)
    control = store.ability(QueueControl)
    assert control
    acts: list[Callable[[], Awaitable[object]]] = [
        store.statistics,
        control.paused,
        store.statistics,
    ]
    with caplog.at_level(logging.ERROR, "jobcore.store"):
        for act in acts:
            await act()
    (record,) = caplog.records
    assert "observer" in record.message
