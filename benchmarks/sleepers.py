"""Let one worker run 10,000 sleeping jobs at once, and watch it keep their leases.

    uv run benchmarks/sleepers.py [--stores memory,sqlite] [--lease 30] [--seconds 65]

They sleep so long that each lease must be renewed several times. For every renewal it
prints how many claims it had, how late it was by the rule that leases are renewed at a
third of their length, how long it took, and what was left of the shortest lease when it
was stored. Fails where the worker warns of anything, such as a claim that it lost, or
where a job did not end in its first attempt.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self, TypeVar

import report
from stores import STORES

from jobcore import (
    Answer,
    Claim,
    ClaimRequest,
    ClaimResult,
    DefaultJobManager,
    Filter,
    Inserted,
    Job,
    JobcoreConfig,
    JobManager,
    JobStatus,
    JobStore,
    NewJob,
    Page,
    Promotion,
    Renewal,
    Statistics,
    Tasks,
    Tick,
    Transition,
    Worker,
    store_from_url,
)

A = TypeVar("A")


@dataclass(frozen=True)
class Watched:
    """One renewal: when it was sent and how long it took, how many claims it had, and
    how many seconds were left of the shortest lease when the answer came."""

    sent_at: float
    took: float
    claims: int
    left: float


class WatchedStore(JobStore):
    """A store that passes everything on and remembers when leases were renewed."""

    def __init__(self, inner: JobStore, lease: float) -> None:
        self.renewals: list[Watched] = []
        self._inner = inner
        self._lease = lease
        self._sure_from: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._inner.__aexit__(kind, error, traceback)

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        asked_at = time.monotonic()
        result = await self._inner.claim(request)
        self._sure_from.update((each.job_id, asked_at) for each in result.claims)
        return result

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        sent_at = time.monotonic()
        renewal = await self._inner.renew(claims, lease)
        now = time.monotonic()
        if claims:
            oldest = min(self._sure_from[each.job_id] for each in claims)
            left = oldest + self._lease - now
            self.renewals.append(Watched(sent_at, now - sent_at, len(claims), left))
        self._sure_from.update((each.job_id, sent_at) for each in claims)
        return renewal

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        return await self._inner.insert(jobs)

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        return await self._inner.get(ids, attempts=attempts)

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        return await self._inner.apply(transitions)

    async def expired(self, limit: int) -> list[Claim]:
        return await self._inner.expired(limit)

    async def promote(self, limit: int) -> Promotion:
        return await self._inner.promote(limit)

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        return await self._inner.find(filter, cursor, limit)

    async def statistics(self) -> Statistics:
        return await self._inner.statistics()

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        return await self._inner.delete(filter, limit)

    def new_id(self, job: NewJob, tick: Tick | None = None) -> str:
        return self._inner.new_id(job, tick)

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        await self._inner.wait(queues, worker, timeout)

    def ability(self, kind: type[A]) -> A | None:
        return self._inner.ability(kind)


def resident() -> int:
    """The bytes of this process that lie in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Warnings(logging.Handler):
    """All that the worker warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


async def lag(longest: list[float]) -> None:
    """Note the longest time that the event loop did not come round, until cancelled."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.01)
        longest[0] = max(longest[0], time.monotonic() - began - 0.01)


async def judge(jobs: JobManager, count: int) -> None:
    """That all jobs have been completed in their first attempt."""
    seen = Counter[tuple[str, int]]()
    cursor, more = None, True
    while more:
        page = await jobs.find(cursor=cursor, limit=1000)
        seen.update((job.status.value, job.attempt) for job in page.jobs)
        cursor, more = page.cursor, page.cursor is not None
    assert seen == {(JobStatus.COMPLETED.value, 1): count}, seen


async def sleep_through(
    jobs: JobManager, count: int, seconds: float
) -> tuple[list[float], float]:
    """Run all jobs at once; the bytes per job as they are stored and as they run, and
    the longest lag of the event loop."""
    tasks = Tasks()
    awake = asyncio.Event()
    started = 0

    @tasks.task()
    async def sleep() -> None:
        nonlocal started
        started += 1
        if started == count:
            awake.set()
        await asyncio.sleep(seconds)

    before = resident()
    for first in range(0, count, 1000):
        await jobs.submit_many([sleep.job()] * min(1000, count - first))
    stored = resident()
    longest = [0.0]
    lagging = asyncio.create_task(lag(longest))
    async with Worker(jobs, tasks, concurrency=count):
        await awake.wait()
        running = resident()
        left = count
        while left:
            await asyncio.sleep(0.5)
            left = count - (await jobs.statistics()).count(JobStatus.COMPLETED)
    lagging.cancel()
    assert started == count
    return [(stored - before) / count, (running - stored) / count], longest[0]


def printed(watched: Sequence[Watched], lease: float) -> list[str]:
    """A line for each renewal that was not asked for by others before it was time."""
    began = watched[0].sent_at
    lines = []
    last = None
    for each in watched:
        late = "-" if last is None else f"{each.sent_at - last - lease / 3:.2f}"
        lines.append(
            (
                f"{each.sent_at - began:.1f}",
                f"{each.claims:,}",
                late,
                f"{each.took * 1e3:.0f}",
                f"{each.left:.2f}",
            )
        )
        last = each.sent_at + each.took
    heads = ("at s", "claims", "late s", "took ms", f"left of {lease:g} s")
    return list(report.table(heads, lines))


async def measure(store_name: str, count: int, lease: float, seconds: float) -> None:
    """Let *count* jobs sleep on one store, and print what was seen."""
    config = JobcoreConfig(job_claim_timeout=timedelta(seconds=lease))
    warnings = Warnings()
    logging.getLogger("jobcore").addHandler(warnings)
    with TemporaryDirectory(prefix="jobcore-sleepers-") as folder:
        async with STORES[store_name].place(Path(folder)) as url:
            store = WatchedStore(store_from_url(url), lease)
            async with store, DefaultJobManager(store, config) as jobs:
                sizes, longest = await sleep_through(jobs, count, seconds)
                await judge(jobs, count)
    print(f"\n**{count:,} jobs that sleep {seconds:g} s, {store_name}**\n")
    print("\n".join(printed(store.renewals, lease)))
    least = min(each.left for each in store.renewals)
    print(f"\nleast margin: {least:.2f} s of {lease:g} s")
    print(f"longest lag of the event loop: {longest * 1e3:.0f} ms")
    print("memory per job: {:,.0f} bytes stored, {:,.0f} running".format(*sizes))
    assert not warnings.texts, f"{len(warnings.texts)}: {warnings.texts[:3]}"
    assert least > 0, "a lease had run out before it was renewed"


def run(store_name: str, count: int, lease: float, seconds: float) -> None:
    """In a process of its own, whose memory nothing else has used before."""
    asyncio.run(measure(store_name, count, lease, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description="Many sleeping jobs in one process")
    parser.add_argument("--stores", type=lambda text: text.split(","), default=STORES)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--lease", type=float, default=30.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=65.0, help="of each job")
    given = parser.parse_args()
    facts = report.machine().items()
    print("; ".join(f"{name}: {value}" for name, value in facts), flush=True)
    with ProcessPoolExecutor(1, max_tasks_per_child=1) as pool:
        for name in given.stores:
            figures = (given.jobs, given.lease, given.seconds)
            pool.submit(run, name, *figures).result()


if __name__ == "__main__":
    main()
