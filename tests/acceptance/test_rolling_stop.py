"""What becomes of jobs when the process of a worker is told to stop under load."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobcore import (
    UNFINISHED,
    Job,
    JobcoreConfig,
    JobManager,
    JobRequest,
    JobStatus,
    open_manager,
)
from tests.acceptance.stores import url

__all__ = ["url"]

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
LEASE = 0.8
LENGTH = 3 * LEASE
CONCURRENCY = 4
CONFIG = JobcoreConfig(job_claim_timeout=timedelta(seconds=LEASE))


class Process:
    """A worker in a process of its own, and what its handlers tell."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.told: list[tuple[str, str]] = []

    async def hears(self, number: int) -> None:
        """Return once *number* lines have been told."""
        assert self._process.stdout is not None
        while len(self.told) < number:
            line = (await self._process.stdout.readline()).decode().split()
            assert line, "it ended"
            self.told.append((line[0], line[1]))

    def signal(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    async def ended(self) -> float:
        """How long it takes to end from now, well."""
        began_at = time.monotonic()
        output, _ = await self._process.communicate()
        taken = time.monotonic() - began_at
        for line in output.decode().splitlines():
            what, job_id, _ = line.split()
            self.told.append((what, job_id))
        return taken

    @property
    def code(self) -> int | None:
        return self._process.returncode


@asynccontextmanager
async def worker(url: str, grace: float) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jobcore", "worker"),
        *("tests.acceptance.rolling:tasks", "--store", url),
        *("--concurrency", str(CONCURRENCY), "--log", "error"),
        stdout=PIPE,
        stderr=DEVNULL,
        cwd=ROOT,
        env={
            **os.environ,
            "JOBCORE_JOB_CLAIM_TIMEOUT": str(LEASE),
            "JOBCORE_SHUTDOWN_GRACE_PERIOD": str(grace),
            "JOBCORE_STALE_JOB_CLAIM_CHECK_INTERVAL": "0.2",
        },
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def submitted(jobs: JobManager, task: str, seconds: float) -> list[Job[Any]]:
    request = JobRequest[Any](task, {"seconds": seconds})
    return await jobs.submit_many([request] * 3 * CONCURRENCY)


async def unfinished(jobs: JobManager) -> int:
    statistics = await jobs.statistics()
    return sum(statistics.count(each) for each in UNFINISHED)


async def test_one_signal_loses_nothing_and_runs_nothing_twice(url: str) -> None:
    grace = LENGTH + 2
    async with open_manager(url, CONFIG) as jobs:
        work = await submitted(jobs, "work", LENGTH)
        async with worker(url, grace) as first, worker(url, grace) as second:
            await first.hears(CONCURRENCY)
            first.signal()
            assert await first.ended() < grace + 1
            while await unfinished(jobs):  # noqa: ASYNC110 - another process ends them
                await asyncio.sleep(0.05)
            second.signal()
            await second.ended()
            assert (first.code, second.code) == (0, 0)
        once = {(what, job.id): 1 for job in work for what in ("began", "ended")}
        assert Counter(first.told + second.told) == once
        statistics = await jobs.statistics()
        assert statistics.count(JobStatus.COMPLETED) == len(work)


async def test_a_second_signal_gives_all_back_within_a_second(url: str) -> None:
    await all_is_given_back(url, "work")


async def test_it_does_so_though_threads_go_on(tmp_path: Path) -> None:
    await all_is_given_back(f"sqlite+aiosqlite:///{tmp_path}/jobs.db", "stubborn")


async def all_is_given_back(url: str, task: str) -> None:
    async with open_manager(url, CONFIG) as jobs:
        work = await submitted(jobs, task, 60)
        async with worker(url, 60) as process:
            await process.hears(CONCURRENCY)
            process.signal()
            await asyncio.sleep(0.1)  # two signals at one instant are one
            process.signal()
            assert await process.ended() < 1
            assert process.code == 0
        statistics = await jobs.statistics()
        assert statistics.count(JobStatus.QUEUED) == len(work)


async def test_the_grace_is_an_end_also_to_a_handler_that_keeps_the_event_loop(
    tmp_path: Path,
) -> None:
    url, grace = f"sqlite+aiosqlite:///{tmp_path}/jobs.db", 0.5
    async with open_manager(url, CONFIG) as jobs:
        await submitted(jobs, "blocking", 60)
        async with worker(url, grace) as process:
            await process.hears(1)
            process.signal()
            assert await process.ended() < grace + 1
            assert process.code == 1
