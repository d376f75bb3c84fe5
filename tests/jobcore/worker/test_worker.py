"""A worker claims, runs and reports, and leaves nothing leased when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from jobcore import (
    ClaimRequest,
    ClaimResult,
    DefaultJobManager,
    InMemoryJobStore,
    InvalidJobError,
    JobRequest,
    JobStatus,
    NewJob,
    Outcome,
    StoreUnavailableError,
    Tasks,
    Transition,
    Worker,
)
from jobcore.transition import Answer
from tests.jobcore.worker.conftest import QUICK, Host, until

pytestmark = pytest.mark.anyio


async def test_runs_a_job_and_hands_over_its_result(host: Host) -> None:
    @host.tasks.task()
    async def double(number: int) -> int:
        return 2 * number

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(double.job(21))
        assert await host.jobs.result(job) == 42


async def test_listens_to_the_queues_that_its_tasks_name(host: Host) -> None:
    @host.tasks.task(queue="mail")
    async def send() -> None: ...

    @host.tasks.task()
    async def plain() -> None: ...

    worker = Worker(host.jobs, host.tasks)
    assert worker.queues == ("mail", "default")


async def test_listens_only_to_the_queues_it_is_told(host: Host) -> None:
    @host.tasks.task()
    async def plain() -> str:
        return "done"

    async with Worker(host.jobs, host.tasks, queues=["mine"]):
        other = await host.jobs.submit(plain.job(), queue="other")
        mine = await host.jobs.submit(plain.job(), queue="mine")
        assert await host.jobs.result(mine) == "done"
    assert (await host.jobs.get(other)).status is JobStatus.QUEUED


async def test_refuses_odd_numbers_and_names(host: Host) -> None:
    with pytest.raises(InvalidJobError):
        Worker(host.jobs, host.tasks, concurrency=-1)
    with pytest.raises(InvalidJobError):
        Worker(host.jobs, host.tasks, queues=["a b"])


async def test_never_runs_more_handlers_than_it_has_slots(host: Host) -> None:
    running = most = 0

    @host.tasks.task()
    async def count() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    async with Worker(host.jobs, host.tasks, concurrency=3):
        submitted = await host.jobs.submit_many([count.job() for _ in range(50)])
        for job in submitted:
            await host.jobs.result(job)
    assert most == 3


async def test_frees_the_slot_before_the_outcome_is_stored() -> None:
    """A slow store must not keep handlers from starting."""
    began = asyncio.Event()

    class Slow(InMemoryJobStore):
        async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
            await began.wait()
            return await super().apply(transitions)

    tasks, started = Tasks(), 0

    @tasks.task()
    async def start() -> None:
        nonlocal started
        started += 1
        if started == 2:
            began.set()

    async with (
        Slow() as store,
        DefaultJobManager(store, QUICK) as jobs,
        Worker(jobs, tasks, concurrency=1),
    ):
        for job in await jobs.submit_many([start.job(), start.job()]):
            await jobs.result(job)
    assert started == 2


async def test_stopping_gives_back_what_has_not_started(host: Host) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    @host.tasks.task()
    async def hold() -> None:
        begun.set()
        await go_on.wait()

    submitted = await host.jobs.submit_many([hold.job() for _ in range(5)])
    worker = Worker(host.jobs, host.tasks, concurrency=1)
    async with worker:
        await begun.wait()
        stopping = asyncio.create_task(worker.stop())

        async def all_but_one_released() -> bool:
            statistics = await host.jobs.statistics()
            return statistics.count(JobStatus.IN_PROGRESS) == 1

        await until(all_but_one_released)
        go_on.set()
        await stopping
    after = [await host.jobs.get(job, attempts=True) for job in submitted]
    assert sorted(job.status for job in after) == ["completed"] + ["queued"] * 4
    assert all(job.failures == job.losses == 0 for job in after)


@pytest.mark.parametrize(
    "host", [{"shutdown_grace_period": timedelta(0)}], indirect=True
)
async def test_stopping_cancels_after_the_grace_and_spends_no_retry(host: Host) -> None:
    begun = asyncio.Event()

    @host.tasks.task(max_retries=0)
    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    job = await host.jobs.submit(endless.job())
    async with Worker(host.jobs, host.tasks):
        await begun.wait()
    after = await host.jobs.get(job, attempts=True)
    assert (after.status, after.failures) == (JobStatus.QUEUED, 0)
    assert [each.outcome for each in after.attempts] == [Outcome.RELEASED]


async def test_a_second_stop_waits_for_no_grace(host: Host) -> None:
    begun = asyncio.Event()

    @host.tasks.task()
    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    job = await host.jobs.submit(endless.job())
    async with Worker(host.jobs, host.tasks) as worker:
        await begun.wait()
        first = asyncio.create_task(worker.stop())
        await asyncio.sleep(0)
        await worker.stop()
        await first
    assert (await host.jobs.get(job)).status is JobStatus.QUEUED


async def test_a_cancelled_body_stops_at_once_when_cancelled_again(host: Host) -> None:
    begun = asyncio.Event()

    @host.tasks.task()
    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def body() -> None:
        await Worker(host.jobs, host.tasks).run()

    job = await host.jobs.submit(endless.job())
    task = asyncio.create_task(body())
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await host.jobs.get(job)).status is JobStatus.QUEUED


async def test_run_returns_when_it_is_stopped(host: Host) -> None:
    worker = Worker(host.jobs, host.tasks, queues=["any"])
    task = asyncio.create_task(worker.run())

    async def healthy() -> bool:
        return worker.is_healthy

    await until(healthy)
    await worker.stop()
    await task
    assert not worker.is_healthy
    await worker.stop()


async def test_run_inside_of_the_body_waits_for_the_stop(host: Host) -> None:
    ran = 0

    @host.tasks.task()
    async def count() -> None:
        nonlocal ran
        ran += 1

    async with Worker(host.jobs, host.tasks) as worker:
        life = worker._main
        running = asyncio.create_task(worker.run())
        await host.jobs.result(await host.jobs.submit(count.job()))
        assert worker._main is life, "it has one"
        assert not running.done()
        await worker.stop()
        await running
    assert ran == 1


async def test_who_leaves_the_body_of_a_stopping_worker_waits_for_its_grace(
    host: Host,
) -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    @host.tasks.task()
    async def slow() -> None:
        begun.set()
        await let_go.wait()

    job = await host.jobs.submit(slow.job())
    worker = Worker(host.jobs, host.tasks)
    running = asyncio.create_task(worker.run())
    await begun.wait()
    stopping = asyncio.create_task(worker.stop())
    for _ in range(10):
        await asyncio.sleep(0)
    let_go.set()
    await asyncio.gather(running, stopping)
    assert (await host.jobs.get(job)).status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    "host", [{"shutdown_grace_period": timedelta(0)}], indirect=True
)
async def test_a_handler_that_ignores_cancellation_holds_nobody_up(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    @host.tasks.task()
    async def stubborn() -> None:
        begun.set()
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    job = await host.jobs.submit(stubborn.job())
    async with Worker(host.jobs, host.tasks, patience=timedelta(milliseconds=50)):
        await begun.wait()
    assert " stuck" in caplog.text
    assert (await host.jobs.get(job)).status is JobStatus.QUEUED
    let_go.set()
    await asyncio.sleep(0)


async def test_releases_a_job_whose_task_it_lacks(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    @host.tasks.task()
    async def known() -> str:
        return "ran"

    unknown = await host.jobs.submit(JobRequest("unknown"))
    job = await host.jobs.submit(known.job())
    async with Worker(host.jobs, host.tasks):
        assert await host.jobs.result(job) == "ran"
    after = await host.jobs.get(unknown)
    assert (after.status, after.failures) == (JobStatus.SCHEDULED, 0)
    assert "(unknown) unknown task" in caplog.text


async def test_runs_a_renamed_task_under_its_earlier_name(host: Host) -> None:
    @host.tasks.task(aliases=["old-name"])
    async def renamed() -> str:
        return "ran"

    job = await host.jobs.submit(JobRequest("old-name"))
    async with Worker(host.jobs, host.tasks):
        assert await host.jobs.result(job) == "ran"


async def test_holds_at_most_one_job_that_was_lost_before(host: Host) -> None:
    together = most = 0

    @host.tasks.task()
    async def suspect() -> None:
        nonlocal together, most
        together += 1
        most = max(most, together)
        await asyncio.sleep(0)
        together -= 1

    submitted = await host.jobs.submit_many([suspect.job() for _ in range(5)])
    await host.jobs.claim("dead", ["default"], 5)
    host.store.offset = host.jobs.config.job_claim_timeout
    assert await host.jobs.release_stale_claims() == 5
    async with Worker(host.jobs, host.tasks):
        for job in submitted:
            await host.jobs.result(job)
    assert most == 1


async def test_starts_a_suspect_only_when_the_others_are_given_back(
    host: Host,
) -> None:
    """It may kill the process, and they would be lost with it once more."""
    beside: list[int] = []

    @host.tasks.task()
    async def suspect() -> None:
        statistics = await host.jobs.statistics()
        beside.append(statistics.count(JobStatus.IN_PROGRESS))

    submitted = await host.jobs.submit_many([suspect.job() for _ in range(5)])
    await host.jobs.claim("dead", ["default"], 5)
    host.store.offset = host.jobs.config.job_claim_timeout
    await host.jobs.release_stale_claims()
    host.store.offset += timedelta(hours=1)
    await host.jobs.promote_due_jobs()
    async with Worker(host.jobs, host.tasks):
        for job in submitted:
            await host.jobs.result(job)
    assert beside == [1] * 5


@pytest.mark.parametrize(
    "host", [{"job_claim_timeout": timedelta(seconds=0.6)}], indirect=True
)
async def test_keeps_the_lease_of_a_job_that_outlasts_it(host: Host) -> None:
    """Two leases on the store's clock pass while the handler runs."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    @host.tasks.task()
    async def long_one() -> None:
        begun.set()
        await go_on.wait()

    job = await host.jobs.submit(long_one.job())
    async with Worker(host.jobs, host.tasks):
        await begun.wait()
        first = (await host.jobs.get(job)).lease_until

        async def renewed() -> bool:
            return (await host.jobs.get(job)).lease_until != first

        await until(renewed)
        go_on.set()
        await host.jobs.result(job)
    after = await host.jobs.get(job)
    assert (after.attempt, after.losses) == (1, 0)


@pytest.mark.parametrize(
    "host", [{"job_claim_timeout": timedelta(seconds=0.6)}], indirect=True
)
async def test_a_lost_claim_ends_its_handler_and_reports_nothing(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    @host.tasks.task()
    async def robbed() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    job = await host.jobs.submit(robbed.job())
    async with Worker(host.jobs, host.tasks, upkeep=False):
        await begun.wait()
        host.store.offset = host.jobs.config.job_claim_timeout
        assert await host.jobs.release_stale_claims() == 1
        await ended.wait()
    assert "lease lost" in caplog.text
    assert "too late" not in caplog.text
    assert (await host.jobs.get(job)).losses == 1


async def test_goes_on_after_an_outage_of_the_store(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Flaky(InMemoryJobStore):
        failures = 3

        async def claim(self, request: ClaimRequest) -> ClaimResult:
            if self.failures:
                self.failures -= 1
                raise StoreUnavailableError("test")
            return await super().claim(request)

    tasks = Tasks()

    @tasks.task()
    async def survive() -> str:
        return "survived"

    config = QUICK.model_copy(update={"job_claim_timeout": timedelta(seconds=0.3)})
    async with (
        Flaky() as store,
        DefaultJobManager(store, config) as jobs,
        Worker(jobs, tasks),
    ):
        job = await jobs.submit(survive.job())
        assert await jobs.result(job) == "survived"
    assert "unavailable" in caplog.text


async def test_reports_an_outcome_again_after_an_outage_of_the_store(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Flaky(InMemoryJobStore):
        failures = 3

        async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
            if self.failures:
                self.failures -= 1
                raise StoreUnavailableError("test")
            return await super().apply(transitions)

    tasks = Tasks()

    @tasks.task()
    async def work() -> str:
        return "done"

    impatient = QUICK.model_copy(update={"store_retry_timeout": timedelta(0)})
    async with Flaky() as store, DefaultJobManager(store, impatient) as jobs:
        job = await jobs.submit(work.job())
        async with Worker(jobs, tasks):
            assert await jobs.result(job, timeout=timedelta(seconds=5)) == "done"
    assert "not reported yet" in caplog.text


async def test_reports_soon_again_what_another_transaction_had_for_a_moment() -> None:
    class Contended(InMemoryJobStore):
        locked = 3

        async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
            if self.locked:
                self.locked -= 1
                return [Answer.LOCKED] * len(transitions)
            return await super().apply(transitions)

    tasks = Tasks()

    @tasks.task()
    async def work() -> str:
        return "done"

    rare = QUICK.model_copy(update={"job_polling_interval": timedelta(hours=1)})
    async with Contended() as store, DefaultJobManager(store, rare) as jobs:
        job = await jobs.submit(work.job())
        async with Worker(jobs, tasks):
            assert await jobs.result(job, timeout=timedelta(seconds=5)) == "done"


async def test_dying_of_its_own_fault_it_cancels_the_body_and_raises(
    host: Host,
) -> None:
    class Broken(InMemoryJobStore):
        async def claim(self, request: ClaimRequest) -> ClaimResult:
            raise ZeroDivisionError(request.worker)

    async with Broken() as store, DefaultJobManager(store, QUICK) as jobs:
        with pytest.raises(ExceptionGroup) as caught:
            async with Worker(jobs, host.tasks, queues=["any"]):
                await asyncio.Event().wait()
    assert caught.group_contains(ZeroDivisionError)
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_enters_the_directory_and_leaves_it(host: Host) -> None:
    @host.tasks.task(queue="mail")
    async def send() -> None: ...

    async with Worker(host.jobs, host.tasks, concurrency=7) as worker:

        async def entered() -> bool:
            return bool(await host.jobs.workers())

        await until(entered)
        found = await host.jobs.workers()
        assert [each.id for each in found] == [worker.id]
        assert found[0].queues == ("mail",)
        assert found[0].tasks == ("send",)
        assert found[0].concurrency == 7
    assert await host.jobs.workers() == []


async def test_a_poison_job_takes_no_neighbours_with_it(host: Host) -> None:
    """Workers that die are played by claims that nobody ends."""
    poison = await host.jobs.submit(JobRequest("poison"))
    neighbours = [NewJob(task="fine", id=f"n{number:03}") for number in range(100)]
    await host.store.insert(neighbours)
    lease = host.jobs.config.job_claim_timeout
    completed: set[str] = set()
    for _ in range(1000):
        await host.jobs.promote_due_jobs()
        result = await host.jobs.claim("w", ["default"], 101)
        losses = [each for each in result.claims if each.job.losses]
        released = losses[1:]
        for claim in released:
            await host.jobs.release(claim, timedelta(seconds=1))
        kept = [each for each in result.claims if each not in released]
        if not any(each.job_id == poison.id for each in kept):
            for claim in kept:
                await host.jobs.complete(claim)
                completed.add(claim.job_id)
        host.store.offset += lease
        await host.jobs.release_stale_claims()
        if len(completed) == 100:
            break
    after = await host.jobs.get(poison)
    while after.status is not JobStatus.FAILED:
        host.store.offset += 2 * lease
        await host.jobs.promote_due_jobs()
        await host.jobs.claim("w", ["default"], 1)
        host.store.offset += lease
        await host.jobs.release_stale_claims()
        after = await host.jobs.get(poison)
    assert (after.reason, after.losses) == ("lost", host.jobs.config.max_lost)
    assert len(completed) == 100
