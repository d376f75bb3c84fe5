"""What holds when several processes share one file, and when they die."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jobcore import JobRequest, JobStatus, open_manager
from jobcore.abilities import Verifiable
from jobcore.registry import store_from_url

pytestmark = pytest.mark.anyio

HOST = Path(__file__).with_name("host.py")


class Process:
    """A host, and what it said on its way out."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ended(self) -> tuple[int, str]:
        _, errors = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, errors.decode()

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()


@asynccontextmanager
async def host(url: str, journal: Path, mood: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HOST),
        url,
        str(journal),
        mood,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Process(process)
    try:
        yield running
    finally:
        running.kill()
        await process.wait()


async def test_eight_processes_drain_one_file_and_claim_each_job_once(
    tmp_path: Path,
) -> None:
    url, journal = f"sqlite+aiosqlite:///{tmp_path}/jobs.db", tmp_path / "journal"
    async with open_manager(url) as jobs:
        submitted = await jobs.submit_many([JobRequest("work")] * 5000)

    async def drain() -> tuple[int, str]:
        async with host(url, journal, "calm") as process:
            return await process.ended()

    ended = await asyncio.gather(*(drain() for _ in range(8)))
    assert ended == [(0, "")] * 8
    started = [line.split() for line in journal.read_text().splitlines()]
    assert Counter(job_id for job_id, _, _ in started) == Counter(
        job.id for job in submitted
    )
    assert {attempt for _, attempt, _ in started} == {"1"}
    async with store_from_url(url) as store:
        statistics = await store.statistics()
        assert statistics.count(JobStatus.COMPLETED) == 5000
        verifiable = store.ability(Verifiable)
        assert verifiable is not None
        assert (await verifiable.verify()).sound


async def test_a_job_that_kills_its_worker_fails_as_lost_and_alone(
    tmp_path: Path,
) -> None:
    url, journal = f"sqlite+aiosqlite:///{tmp_path}/jobs.db", tmp_path / "journal"
    async with open_manager(url) as jobs:
        killer = await jobs.submit(JobRequest("poison"))
        await jobs.submit_many([JobRequest("work")] * 100)
        codes = []
        while 0 not in codes:
            async with host(url, journal, "faulty") as process:
                code, errors = await process.ended()
            codes.append(code)
            assert code in {0, 9}, errors
        statistics = await jobs.statistics()
        after = await jobs.get(killer, attempts=True)
    assert codes == [9, 9, 9, 0]
    assert statistics.count(JobStatus.COMPLETED) == 100
    assert (after.status, after.reason, after.losses) == ("failed", "lost", 3)
    assert [each.outcome for each in after.attempts] == ["lost"] * 3
