"""Cancelling any coroutine at any moment leaves the file to others."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from jobcore import (
    Claim,
    DefaultJobManager,
    JobConflictError,
    JobNotFoundError,
    JobRequest,
    JobStatus,
    Limit,
    Outcome,
    Report,
    Verifiable,
    WorkerRecord,
    store_from_url,
)

pytestmark = pytest.mark.anyio

ROUNDS = 1000
WRITER = """
import sqlite3, sys
for line in sys.stdin:
    connection = sqlite3.connect(sys.argv[1], timeout=1, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE IF NOT EXISTS written (at)")
    connection.execute("INSERT INTO written VALUES (1)")
    connection.execute("COMMIT")
    connection.close()
    print("written", flush=True)
"""

Act = Callable[[], Awaitable[object]]


@pytest.fixture
async def written(tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
    """Writes from another process, which gives up after a second."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(tmp_path / "jobs.db")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    asked, answered = process.stdin, process.stdout

    async def write() -> bytes:
        asked.write(b"write\n")
        return await answered.readline()

    yield write
    asked.close()
    await process.wait()


def acts(jobs: DefaultJobManager, job_id: str, claim: Claim) -> list[Act]:
    """Every public coroutine of a manager, once."""
    request, second = JobRequest("task"), timedelta(seconds=1)
    return [
        lambda: jobs.submit(request),
        lambda: jobs.submit(request, unique_key="one", limit_key="key", limit=LIMIT),
        lambda: jobs.submit_many([request] * 20),
        lambda: jobs.get(job_id, attempts=True),
        jobs.find,
        jobs.statistics,
        lambda: jobs.result(claim.job, timeout=second / 50),
        lambda: jobs.cancel(job_id),
        lambda: jobs.retry(job_id),
        lambda: jobs.delete(job_id),
        lambda: jobs.pause(task="other"),
        lambda: jobs.resume(task="other"),
        lambda: jobs.limit("key", LIMIT),
        lambda: jobs.claim("worker", ["default"], 5),
        lambda: jobs.renew([claim]),
        lambda: jobs.report([Report(claim, Outcome.SUCCEEDED)]),
        lambda: jobs.complete(claim),
        lambda: jobs.fail(claim, ValueError()),
        lambda: jobs.release(claim),
        lambda: jobs.snooze(claim, second),
        lambda: jobs.acknowledge(claim),
        jobs.promote_due_jobs,
        lambda: jobs.wait_for_scheduled(second / 50),
        jobs.release_stale_claims,
        jobs.lift_held_jobs,
        jobs.prune,
        lambda: jobs.seen(WorkerRecord(id="worker")),
        lambda: jobs.gone("worker"),
        jobs.workers,
        lambda: jobs.turn("duty", second),
        lambda: jobs.wait("worker", ["default"], second / 50),
    ]


LIMIT = Limit(concurrency=3)
EXPECTED = (asyncio.CancelledError, JobConflictError, JobNotFoundError, TimeoutError)


async def cancelled(act: Act, after: float) -> None:
    """Begin *act*, cancel it *after* some seconds, and take what it says to that."""
    task = asyncio.ensure_future(act())
    await asyncio.sleep(after)
    task.cancel()
    answer = (await asyncio.gather(task, return_exceptions=True))[0]
    assert not isinstance(answer, BaseException) or isinstance(answer, EXPECTED)


async def test_another_process_can_write_within_a_second(
    tmp_path: Path, written: Callable[[], Awaitable[bytes]]
) -> None:
    random = Random(7)
    url = f"sqlite+aiosqlite:///{tmp_path}/jobs.db"
    async with store_from_url(url) as store, DefaultJobManager(store) as jobs:
        for number in range(ROUNDS):
            job = await jobs.submit(JobRequest("task"))
            result = await jobs.claim("worker", ["default"], 1)
            claim = result.claims[0] if result.claims else Claim(job, "none")
            chosen = acts(jobs, job.id, claim)
            await cancelled(chosen[number % len(chosen)], random.uniform(0, 0.004))
            if number % 20 == 0:
                assert await written() == b"written\n"
        store.offset = timedelta(days=1)
        await jobs.release_stale_claims(10 * ROUNDS)
        statistics = await jobs.statistics()
        assert statistics.count(JobStatus.IN_PROGRESS) == 0
        verifiable = store.ability(Verifiable)
        assert verifiable
        assert (await verifiable.verify()).sound
    assert await written() == b"written\n"
