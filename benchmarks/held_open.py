"""Measure what a transaction costs that somebody holds open while jobs go on.

    uv run benchmarks/held_open.py [--seconds 180] [--rate 500] [--burst 20000]

While it is open, PostgreSQL can clear away none of the row versions that are written
after it began, and each claim has to pass by those of jobs that were there before. One
process submits, claims and completes at a steady rate, first without and then beside
such a transaction; it tells how long claims took in each part of that time. Before and
at the end it drains a burst as fast as it can, which shows what is left in reserve. The
server is the one that JOBCORE_BENCHMARK_POSTGRES_URL names.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import report
from stores import POSTGRES, STORES

from jobcore import (
    UNFINISHED,
    ClaimRequest,
    ClaimResult,
    DefaultJobManager,
    JobManager,
    Tasks,
    Worker,
)
from jobcore_sql import SQLJobStore

TICK = 0.02
"""Seconds from one submit to the next."""
CONCURRENCY = 100

tasks = Tasks()


@tasks.task()
async def work() -> None: ...


class TimedStore(SQLJobStore):
    """Remembers how many milliseconds each claim took that brought something."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.taken: list[float] = []

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        began = time.perf_counter()
        result = await super().claim(request)
        if result.claims:
            self.taken.append((time.perf_counter() - began) * 1e3)
        return result


@dataclass
class Run:
    """What is measured, line by line."""

    store: TimedStore
    jobs: JobManager
    lines: list[tuple[str, ...]] = field(default_factory=list)

    async def steady(self, title: str, rate: int, seconds: float) -> float:
        """Submit at *rate* for so long; the jobs per second that were completed."""
        self.store.taken.clear()
        began, submitted = time.monotonic(), 0
        async with Worker(self.jobs, tasks, concurrency=CONCURRENCY):
            while (passed := time.monotonic() - began) < seconds:
                due = int(passed * rate) - submitted
                if due:
                    await self.jobs.submit_many(work.job() for _ in range(due))
                    submitted += due
                await asyncio.sleep(TICK)
            waiting = await self._unfinished()
            await self._drained()
        completed = (submitted - waiting) / passed
        self._tell(title, completed, waiting)
        return completed

    async def burst(self, title: str, count: int) -> float:
        """The jobs per second of a drain of *count*."""
        for _ in range(0, count, 1000):
            await self.jobs.submit_many(work.job() for _ in range(1000))
        self.store.taken.clear()
        began = time.monotonic()
        async with Worker(self.jobs, tasks, concurrency=CONCURRENCY):
            await self._drained()
            rate = count / (time.monotonic() - began)
        self._tell(title, rate, 0)
        return rate

    async def _drained(self) -> None:
        while await self._unfinished():  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(TICK)

    async def _unfinished(self) -> int:
        statistics = await self.jobs.statistics()
        return sum(map(statistics.count, UNFINISHED))

    def _tell(self, title: str, rate: float, waiting: int) -> None:
        ordered = sorted(self.store.taken)
        cuts = (ordered[len(ordered) * part // 100] for part in (50, 99))
        times = (f"{each:.1f}" for each in (*cuts, ordered[-1]))
        self.lines.append((title, f"{rate:,.0f}", *times, f"{waiting:,}"))
        print(", ".join(self.lines[-1]), flush=True)


@asynccontextmanager
async def held_open(url: str) -> AsyncIterator[None]:
    """A transaction with a snapshot, which stays open as long as the context."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            await connection.execute("SELECT count(*) FROM jobs")
            yield
    finally:
        await connection.close()


async def measure(given: argparse.Namespace) -> None:
    part = given.seconds / given.parts
    async with (
        STORES["postgresql"].place(Path()) as url,
        TimedStore(url) as store,
        DefaultJobManager(store) as jobs,
    ):
        run = Run(store, jobs)
        await run.burst("burst, to warm up", given.burst)
        after = before = await run.steady("steady", given.rate, part)
        burst_before = await run.burst("burst", given.burst)
        async with held_open(url):
            for number in range(given.parts):
                title = f"steady, held open for {number * part:.0f} s and more"
                after = await run.steady(title, given.rate, part)
            burst_after = await run.burst("burst, held open", given.burst)
        heads = ("", "jobs/s", "claim p50 ms", "p99", "longest", "left at the end")
        print("\n".join(report.table(heads, run.lines)))
        print(f"drop at {given.rate} jobs/s, last part: {1 - after / before:.0%}")
        print(f"drop of the burst: {1 - burst_after / burst_before:.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure beside an open transaction")
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--parts", type=int, default=6)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--burst", type=int, default=20_000)
    given = parser.parse_args()
    if "postgresql" not in STORES:
        parser.error(f"{POSTGRES} names no server")
    print("; ".join(f"{name}: {value}" for name, value in report.machine().items()))
    asyncio.run(measure(given))


if __name__ == "__main__":
    main()
