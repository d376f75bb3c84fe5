"""What handlers leave on their job: progress, log, checkpoint, what is done once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import anyio
import pytest

from jobcore import (
    ClaimLostError,
    InvalidJobError,
    Job,
    JobContext,
    JobFailedError,
    JobStatus,
    StoreUnavailableError,
    TooLargeError,
    Worker,
    fixed,
)
from tests.jobcore.worker.conftest import Host, until

pytestmark = pytest.mark.anyio

AT_ONCE = fixed(timedelta(0))


async def test_progress_shows_while_the_job_runs_and_when_it_has_ended(
    host: Host,
) -> None:
    told, seen = asyncio.Event(), asyncio.Event()

    @host.tasks.task(context=True)
    async def work(context: JobContext) -> str:
        await context.progress(0.25, "begun")
        told.set()
        await seen.wait()
        await context.progress(0.5, "is not written at once")
        await context.progress(0.75, "nearly\0 done")
        return "done"

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(work.job())
        await told.wait()
        progress = (await host.jobs.get(job)).details.progress
        assert progress is not None
        assert (progress.fraction, progress.message) == (0.25, "begun")
        seen.set()
        assert await host.jobs.result(job) == "done"
    progress = (await host.jobs.get(job)).details.progress
    assert progress is not None
    assert (progress.fraction, progress.message) == (0.75, "nearly\ufffd done")


async def test_the_log_has_the_lines_of_all_attempts(host: Host) -> None:
    @host.tasks.task(context=True, max_retries=1, retry=AT_ONCE)
    async def work(context: JobContext) -> None:
        await context.log("first")
        await context.log("second")
        if context.job.attempt == 1:
            raise ValueError("no")

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(work.job())
        await host.jobs.result(job)
    log = (await host.jobs.get(job)).details.log
    assert [(line.attempt, line.text) for line in log] == [
        *((1, "first"), (1, "second")),
        *((2, "first"), (2, "second")),
    ]


async def test_the_next_attempt_goes_on_from_the_checkpoint(host: Host) -> None:
    pages: list[int] = []

    @host.tasks.task(context=True, max_retries=9, retry=AT_ONCE)
    async def read(context: JobContext) -> int:
        page = context.checkpoint or 0
        pages.append(page)
        await context.save(page + 1)
        assert context.checkpoint == page + 1
        if page < 3:
            raise ValueError(page)
        return page

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(read.job())
        assert await host.jobs.result(job) == 3
    assert pages == [0, 1, 2, 3]


async def test_a_checkpoint_survives_its_worker(host: Host) -> None:
    saved = asyncio.Event()

    @host.tasks.task(context=True)
    async def read(context: JobContext) -> Any:
        if context.checkpoint is None:
            await context.save({"page": 7})
            saved.set()
            await asyncio.sleep(3600)
        return context.checkpoint

    first = Worker(host.jobs, host.tasks)
    async with first:
        job = await host.jobs.submit(read.job())
        await saved.wait()
        stopping = asyncio.create_task(first.stop())
        await asyncio.sleep(0)
        await first.stop()
        await stopping
    async with Worker(host.jobs, host.tasks):
        assert await host.jobs.result(job) == {"page": 7}


@pytest.mark.parametrize(
    ("odd", "error"),
    [
        (object(), InvalidJobError),
        (float("nan"), InvalidJobError),
        ("x" * 200_000, TooLargeError),
    ],
)
async def test_an_odd_checkpoint_is_refused_and_the_last_one_stays(
    host: Host, odd: object, error: type[Exception]
) -> None:
    @host.tasks.task(context=True)
    async def work(context: JobContext) -> Any:
        await context.save("good")
        with pytest.raises(error):
            await context.save(odd)
        return context.checkpoint

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(work.job())
        assert await host.jobs.result(job) == "good"
    assert (await host.jobs.get(job)).details.checkpoint == "good"


async def test_what_is_done_once_is_not_done_by_the_next_attempt(host: Host) -> None:
    calls = Counter[str]()

    async def charge(card: str) -> tuple[str, int]:
        calls[card] += 1
        return card, calls[card]

    @host.tasks.task(context=True, max_retries=2, retry=AT_ONCE)
    async def pay(context: JobContext) -> Any:
        first = await context.once("charge", charge, "visa")
        again = await context.once("charge", charge, "visa")
        other = await context.once("fee", charge, "fee")
        if context.job.attempt < 3:
            raise ValueError("no")
        return [first, again, other]

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(pay.job())
        assert await host.jobs.result(job) == [["visa", 1], ["visa", 1], ["fee", 1]]
    assert calls == {"visa": 1, "fee": 1}


async def test_what_is_done_side_by_side_is_all_kept(host: Host) -> None:
    async def echo(number: int) -> int:
        return number

    @host.tasks.task(context=True)
    async def work(context: JobContext) -> None:
        keys = (context.once(f"key {n}", echo, n) for n in range(5))
        await asyncio.gather(*keys, context.save("here"), context.log("told"))

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(work.job())
        await host.jobs.result(job)
    details = (await host.jobs.get(job)).details
    assert details.once == {f"key {n}": n for n in range(5)}
    assert (details.checkpoint, len(details.log)) == ("here", 1)


async def test_what_fails_is_done_again(host: Host) -> None:
    calls: list[int] = []

    async def charge() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("no")
        return "paid"

    @host.tasks.task(context=True, max_retries=1, retry=AT_ONCE)
    async def pay(context: JobContext) -> Any:
        return await context.once("charge", charge)

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(pay.job())
        assert await host.jobs.result(job) == "paid"
    assert len(calls) == 2


async def test_a_handler_in_a_thread_leaves_the_same(host: Host) -> None:
    @host.tasks.task(context=True)
    def work(context: JobContext) -> None:
        anyio.from_thread.run(context.progress, 0.5)
        anyio.from_thread.run(context.save, [1])

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(work.job())
        await host.jobs.result(job)
    details = (await host.jobs.get(job)).details
    assert details.checkpoint == [1]
    assert details.progress is not None


async def test_who_has_lost_the_job_saves_nothing(host: Host) -> None:
    started, lost, refused = (asyncio.Event() for _ in range(3))

    @host.tasks.task(context=True)
    async def work(context: JobContext) -> None:
        started.set()
        await lost.wait()
        with pytest.raises(ClaimLostError):
            await context.save("late")
        refused.set()

    async with Worker(host.jobs, host.tasks, upkeep=False):
        job = await host.jobs.submit(work.job())
        await started.wait()
        host.store.offset = timedelta(hours=1)
        await host.jobs.release_stale_claims()
        lost.set()
        await refused.wait()
    assert (await host.jobs.get(job)).details.checkpoint is None


async def test_a_store_that_is_down_does_not_end_who_tells_of_progress(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise StoreUnavailableError("down")

    @host.tasks.task(context=True)
    async def work(context: JobContext) -> str:
        monkeypatch.setattr(host.jobs, "note", down)
        await context.progress(0.5)
        return "done"

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(work.job())
        assert await host.jobs.result(job) == "done"
    assert (await host.jobs.get(job)).details.progress is not None


async def test_only_a_worker_stores_what_a_context_leaves(host: Host) -> None:
    job: Job = await host.jobs.submit(host.tasks.task(name="x")(_nothing).job())
    context = JobContext(job, "worker")
    with pytest.raises(LookupError, match="no worker"):
        await context.save(1)


async def _nothing() -> None: ...


@pytest.mark.parametrize("threaded", [False, True])
async def test_a_snoozed_job_runs_again_later_and_spends_nothing(
    host: Host,
    threaded: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    def wait_for_tea(context: JobContext) -> str:
        try:
            if context.job.attempt < 3:
                context.snooze(timedelta(hours=1))
        except Exception as error:
            raise AssertionError from error
        return "tea"

    async def wait_for_it(context: JobContext) -> str:
        return wait_for_tea(context)

    chosen = wait_for_tea if threaded else wait_for_it
    task = host.tasks.task(context=True, max_retries=0, name="tea")(chosen)
    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(task.job())
        for hours in (1, 2):
            await until(lambda: is_scheduled(host, job))
            host.store.offset = timedelta(hours=hours)
            await host.jobs.promote_due_jobs()
        assert await host.jobs.result(job) == "tea"
    after = await host.jobs.get(job, attempts=True)
    assert (after.attempt, after.failures, len(after.attempts)) == (3, 0, 1)


async def test_an_odd_snooze_is_a_failure(host: Host) -> None:
    @host.tasks.task(context=True, max_retries=0)
    async def snooze(context: JobContext) -> None:
        context.snooze(timedelta(-1))

    async with Worker(host.jobs, host.tasks):
        job = await host.jobs.submit(snooze.job())
        with pytest.raises(JobFailedError, match="InvalidJobError"):
            await host.jobs.result(job)


async def is_scheduled(host: Host, job: Job) -> bool:
    return (await host.jobs.get(job)).status is JobStatus.SCHEDULED
