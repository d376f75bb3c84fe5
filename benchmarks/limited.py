"""Measure what limits cost: a drain of jobs that all have keys of their own.

    uv run benchmarks/limited.py [--store postgresql] [--jobs 10000] [--repeat 3]

One worker drains jobs without a limit, and as many of which each has a limit key of its
own, of which two jobs may run at a time. Both take turns, and the medians are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import report
from stores import STORES

from jobcore import (
    DefaultJobManager,
    Filter,
    JobcoreConfig,
    JobRequest,
    JobStatus,
    Limit,
    Tasks,
    Worker,
    open_manager,
)

CONCURRENCY = 100
TWO = Limit(concurrency=2)

tasks = Tasks()


@tasks.task()
async def work() -> None: ...


def requests(number: int, *, limited: bool) -> list[JobRequest[None]]:
    """So many jobs, each with a limit key of its own if they are *limited*."""
    plain = work.job()
    if not limited:
        return [plain] * number
    return [plain.with_options(limit_key=f"key-{n}", limit=TWO) for n in range(number)]


async def drained(jobs: DefaultJobManager, number: int, *, limited: bool) -> float:
    """How many jobs per second one worker works off, from its start to the last one
    that the store shows as completed."""
    await jobs.submit_many(requests(number, limited=limited))
    began = time.perf_counter()
    async with Worker(jobs, tasks, concurrency=CONCURRENCY):
        while (await jobs.statistics()).count(JobStatus.COMPLETED) < number:  # noqa: ASYNC110 - the store shows it
            await asyncio.sleep(0.02)
        seconds = time.perf_counter() - began
    await jobs.matching(Filter()).delete()
    return number / seconds


async def measure(store: str, number: int, repeat: int) -> None:
    rates: defaultdict[bool, list[float]] = defaultdict(list)
    with TemporaryDirectory(prefix="jobcore-limited-") as folder:
        async with (
            STORES[store].place(Path(folder)) as url,
            open_manager(url, JobcoreConfig()) as jobs,
        ):
            for _ in range(repeat):
                for limited in (False, True):
                    rate = await drained(jobs, number, limited=limited)
                    rates[limited].append(rate)
                    print(f"{'limited' if limited else 'unlimited'}: {rate:,.0f}/s")
    ratio = median(rates[True]) / median(rates[False])
    print(f"{number:,} keys of their own drain at {ratio:.0%} of the unlimited rate")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what limits cost")
    parser.add_argument("--store", choices=list(STORES), default="sqlite")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    print("; ".join(f"{name}: {value}" for name, value in report.machine().items()))
    asyncio.run(measure(given.store, given.jobs, given.repeat))


if __name__ == "__main__":
    main()
