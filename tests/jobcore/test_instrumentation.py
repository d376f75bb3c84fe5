"""A manager and its workers let measure and trace what they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import timedelta

import pytest

from jobcore import (
    Claim,
    DefaultJobManager,
    Events,
    InMemoryJobStore,
    Instrumentation,
    JobcoreConfig,
    JobRequest,
    JobStore,
    NewJob,
    Report,
    Statistics,
    Tasks,
    TransactionalStore,
    UnsupportedError,
    Worker,
)
from jobcore.wrappers import InstrumentedStore, StoreCall
from tests.jobcore.faults import FaultyStore

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=1)
GREET = JobRequest("greet")

_current: ContextVar[str] = ContextVar("current", default="")


class Notes(Instrumentation):
    """Notes all that it is asked for."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.margins: asyncio.Queue[timedelta] = asyncio.Queue()
        self.statistics: Statistics | None = None

    def wrap(self, store: JobStore) -> JobStore:
        return InstrumentedStore(store, self._called)

    def _called(self, call: StoreCall) -> None:
        if call.verb in {"insert", "apply"}:
            self.noted.append(call.verb)

    @asynccontextmanager
    async def attend(
        self, events: Events, statistics: Callable[[], Awaitable[Statistics]]
    ) -> AsyncIterator[None]:
        unsubscribe = events.subscribe(lambda event: self.noted.append(event.kind))
        yield
        self.statistics = await statistics()
        unsubscribe()

    @contextmanager
    def submitting(self, jobs: Sequence[NewJob]) -> Iterator[None]:
        for job in jobs:
            job.carrying(b'{"correlation_id": "noted"}')
        self.noted.append(f"submitting {len(jobs)}")
        yield
        self.noted.append("stored")

    async def run(
        self, claim: Claim, worker: str, execute: Callable[[], Awaitable[Report | None]]
    ) -> Report | None:
        assert claim.job.worker == worker
        _current.set(claim.job.details.correlation_id or "")
        report = await execute()
        assert report
        self.noted.append(f"ran, {report.outcome}")
        return report

    def renewed(self, margin: timedelta) -> None:
        self.margins.put_nowait(margin)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def jobs(notes: Notes) -> AsyncIterator[DefaultJobManager]:
    config = JobcoreConfig(job_claim_timeout=LEASE)
    async with (
        InMemoryJobStore() as store,
        DefaultJobManager(store, config, instrumentation=notes) as jobs,
    ):
        yield jobs


async def test_a_submit_and_a_run_are_surrounded(
    jobs: DefaultJobManager, notes: Notes
) -> None:
    tasks = Tasks()

    @tasks.task()
    async def greet() -> str:
        return _current.get()

    async with Worker(jobs, tasks):
        assert await jobs.result(await jobs.submit(greet.job())) == "noted"
    assert notes.noted == [
        *("submitting 1", "insert", "submitted", "stored"),
        *("claimed", "ran, succeeded", "apply", "succeeded"),
    ]


async def test_a_batch_is_surrounded_once(
    jobs: DefaultJobManager, notes: Notes
) -> None:
    await jobs.submit_many([GREET] * 2)
    assert notes.noted.count("submitting 2") == 1


async def test_what_was_left_of_leases_is_told(
    jobs: DefaultJobManager, notes: Notes
) -> None:
    tasks, told = Tasks(), asyncio.Event()

    @tasks.task()
    async def wait() -> None:
        await told.wait()

    async with Worker(jobs, tasks):
        await jobs.submit(wait.job())
        margin = await notes.margins.get()
        told.set()
    assert timedelta(0) < margin < LEASE


async def test_it_attends_as_long_as_anything_can_happen(notes: Notes) -> None:
    store = FaultyStore()
    gate = store.gate("insert")
    async with store, DefaultJobManager(store, instrumentation=notes) as jobs:
        late = asyncio.create_task(jobs.submit(GREET))
        await gate.reached.wait()
        asyncio.get_running_loop().call_later(0.01, gate.opened.set)
    await late
    assert "submitted" in notes.noted
    assert notes.statistics
    assert notes.statistics.queues.keys() == {"default"}


async def test_the_store_keeps_its_name(jobs: DefaultJobManager) -> None:
    with pytest.raises(UnsupportedError, match="InMemoryJobStore"):
        jobs.require(TransactionalStore)
