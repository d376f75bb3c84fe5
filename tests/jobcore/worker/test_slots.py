"""What waits, runs or is reported in a worker never outlives its reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextvars import ContextVar
from datetime import timedelta
from functools import wraps
from itertools import pairwise
from time import monotonic
from typing import Any

import pytest

from jobcore import (
    Answer,
    Claim,
    ClaimResult,
    DefaultJobManager,
    InMemoryJobStore,
    JobcoreConfig,
    JobFailedError,
    JobStatus,
    Renewal,
    Report,
    Tasks,
    Transition,
    Worker,
)
from tests.jobcore.worker.conftest import QUICK, Host, until

pytestmark = pytest.mark.anyio


HOUR = timedelta(hours=1)


class PanicError(BaseException):
    """Not an Exception, as those of some extension modules."""


class Slow(InMemoryJobStore):
    """Whose first `apply` never ends by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.reached: asyncio.Event = asyncio.Event()

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        if not self.reached.is_set():
            self.reached.set()
            await asyncio.Event().wait()
        return await super().apply(transitions)


async def test_an_error_that_is_no_exception_fails_its_job(host: Host) -> None:
    @host.tasks.task(max_retries=0)
    async def panic() -> None:
        raise PanicError

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(panic.job())
        with pytest.raises(JobFailedError, match="PanicError"):
            await host.jobs.result(job)


@pytest.mark.parametrize("host", [{"job_polling_interval": HOUR}], indirect=True)
async def test_a_worker_fills_all_of_its_slots_beside_the_rest_of_its_process(
    host: Host,
) -> None:
    """All hundred run at once, but no pass of the event loop starts all of them."""
    started, passes, all_run = 0, list[int](), asyncio.Event()

    @host.tasks.task()
    async def wait() -> None:
        nonlocal started
        started += 1
        if started == 100:
            all_run.set()
        await all_run.wait()

    def look() -> None:
        passes.append(started)
        if not all_run.is_set():
            asyncio.get_running_loop().call_soon(look)

    await host.jobs.submit_many(wait.job() for _ in range(100))
    async with Worker(host.jobs, host.tasks, concurrency=100):
        look()
        await all_run.wait()
    steps = [after - before for before, after in pairwise(passes)]
    assert max(steps) <= 50


async def test_the_next_batch_is_asked_for_while_the_first_one_starts(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, started_before, done = 0, list[int](), asyncio.Event()
    claim = host.jobs.claim

    async def watched(worker: str, queues: Sequence[str], limit: int) -> ClaimResult:
        started_before.append(started)
        return await claim(worker, queues, limit)

    @host.tasks.task()
    async def count() -> None:
        nonlocal started
        started += 1
        if started == 300:
            done.set()

    monkeypatch.setattr(host.jobs, "claim", watched)
    await host.jobs.submit_many(count.job() for _ in range(300))
    async with Worker(host.jobs, host.tasks, concurrency=100):
        await done.wait()
    assert started_before[1] == 0


async def test_a_busy_worker_asks_for_half_of_what_it_may_keep_waiting(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, turns = list[int](), asyncio.Semaphore(0)
    claim = host.jobs.claim

    async def watched(worker: str, queues: Sequence[str], limit: int) -> ClaimResult:
        wanted.append(limit)
        return await claim(worker, queues, limit)

    @host.tasks.task()
    async def wait() -> None:
        await turns.acquire()

    monkeypatch.setattr(host.jobs, "claim", watched)
    jobs = await host.jobs.submit_many(wait.job() for _ in range(40))
    async with Worker(host.jobs, host.tasks, concurrency=10):
        for job in jobs:
            turns.release()
            await host.jobs.result(job)
    assert min(wanted) >= 5


async def test_no_variable_of_one_job_is_seen_by_the_next(host: Host) -> None:
    tenant: ContextVar[str | None] = ContextVar("tenant", default=None)

    @host.tasks.task()
    async def serve(name: str) -> str | None:
        seen = tenant.get()
        tenant.set(name)
        return seen

    async with Worker(host.jobs, host.tasks, concurrency=1):
        requests = [serve.job(str(number)) for number in range(5)]
        for job in await host.jobs.submit_many(requests):
            assert await host.jobs.result(job) is None


async def test_a_job_that_waits_behind_its_parent_goes_to_an_idle_worker(
    host: Host,
) -> None:
    @host.tasks.task()
    async def child() -> str:
        return "ran"

    @host.tasks.task()
    async def parent() -> str:
        jobs = await host.jobs.submit_many([child.job() for _ in range(3)])
        return " ".join([await host.jobs.result(job) for job in jobs])

    one = Worker(host.jobs, host.tasks, concurrency=1)
    two = Worker(host.jobs, host.tasks, concurrency=1)
    async with one, two:
        job = await host.jobs.submit(parent.job())
        assert await host.jobs.result(job) == "ran ran ran"


async def test_a_renewal_that_crosses_a_report_is_no_loss(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    report, renew = host.jobs.report, host.jobs.renew
    missed = asyncio.Event()

    async def report_late(reports: Sequence[Report]) -> list[JobStatus | Exception]:
        answers = await report(reports)
        worker._slots.leases.renew_soon()
        await missed.wait()
        return answers

    async def renew_and_tell(claims: Sequence[Claim]) -> Renewal:
        renewal = await renew(claims)
        if renewal.lost:
            missed.set()
        return renewal

    @host.tasks.task()
    async def work() -> None:
        pass

    monkeypatch.setattr(host.jobs, "report", report_late)
    monkeypatch.setattr(host.jobs, "renew", renew_and_tell)
    async with Worker(host.jobs, host.tasks) as worker:
        await host.jobs.result(await host.jobs.submit(work.job()))
        await missed.wait()
    assert caplog.text == ""


async def test_a_coroutine_function_in_a_plain_wrapper_is_run(host: Host) -> None:
    ran = asyncio.Event()

    async def send() -> str:
        ran.set()
        return "sent"

    @wraps(send)
    def wrapped(*args: Any) -> Any:
        return send(*args)

    task = host.tasks.task(name="send")(wrapped)
    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(task.job())
        assert await host.jobs.result(job) == "sent"
    assert ran.is_set()


@pytest.mark.parametrize(
    "host", [{"shutdown_grace_period": timedelta(0)}], indirect=True
)
async def test_a_handler_that_swallowed_its_timeout_is_told_of_the_stop(
    host: Host,
) -> None:
    told: list[str] = []
    swallowed = asyncio.Event()

    @host.tasks.task(timeout=timedelta(milliseconds=10), max_retries=0)
    async def deaf() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append("timeout")
            swallowed.set()
        try:
            await asyncio.Event().wait()
        finally:
            told.append("stop")

    job = await host.jobs.submit(deaf.job())
    async with Worker(host.jobs, host.tasks):
        await swallowed.wait()
    assert told == ["timeout", "stop"]
    assert (await host.jobs.get(job)).reason == "timed_out"


async def test_a_cancelled_start_ends_though_a_resource_hangs(host: Host) -> None:
    opening = asyncio.Event()

    @host.tasks.worker_resource
    async def database() -> AsyncIterator[None]:
        opening.set()
        await asyncio.Event().wait()
        yield

    async def start() -> None:
        async with Worker(host.jobs, host.tasks, queues=["any"]):
            pass

    starting = asyncio.create_task(start())
    await opening.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_a_fault_in_reporting_does_not_keep_the_lease_for_ever() -> None:
    tasks, tried = Tasks(), asyncio.Event()

    @tasks.task()
    async def work() -> None: ...

    class Broken(DefaultJobManager):
        async def report(self, reports: Sequence[Report]) -> list[Any]:
            tried.set()
            raise ZeroDivisionError(len(reports))

    lease = {"job_claim_timeout": timedelta(seconds=0.3), "max_lost": 1}
    config: JobcoreConfig = QUICK.model_copy(update=lease)
    async with (
        InMemoryJobStore() as store,
        Broken(store, config) as jobs,
        Worker(jobs, tasks),
    ):
        job = await jobs.submit(work.job())
        await tried.wait()

        async def lost() -> bool:
            return (await jobs.get(job)).reason == "lost"

        await until(lost)


def test_a_host_that_returns_early_still_learns_how_its_jobs_ended() -> None:
    """`asyncio.run` then cancels all tasks, also one in which a report travels."""
    store, tasks = Slow(), Tasks()

    @tasks.task()
    async def work() -> None: ...

    async def serve() -> None:
        async with store, DefaultJobManager(store, QUICK) as jobs:
            job = await jobs.submit(work.job())
            try:
                await Worker(jobs, tasks).run()
            finally:
                statuses.append((await jobs.get(job)).status)

    async def main() -> asyncio.Task[None]:
        serving = asyncio.create_task(serve())
        await store.reached.wait()
        return serving

    statuses: list[JobStatus] = []
    began_at = monotonic()
    asyncio.run(main())
    assert statuses == [JobStatus.COMPLETED]
    assert monotonic() - began_at < 5
