"""Let many processes claim at once, and see that each job is claimed once.

    uv run benchmarks/crowd.py [--processes 1,8] [--jobs 100000] [--store postgresql]

Each process claims batches of 100 and completes them, until nothing is left; the claims
of all are compared with what was submitted. The rate is from the word to go until the
last process has found nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import report
from contestant import BULK, Order, say, told
from processes import started
from stores import STORES

from jobcore import JobStatus, Tasks, open_manager

CLAIMED = 100
QUEUE = "default"

tasks = Tasks()


@tasks.task()
async def work(number: int) -> None: ...


async def fill(url: str, count: int) -> None:
    async with open_manager(url) as jobs:
        for first in range(0, count, BULK):
            numbers = range(first, min(first + BULK, count))
            await jobs.submit_many(work.job(number) for number in numbers)


async def claim_all(order: Order) -> None:
    """Claim and complete until the queue is empty, and tell the numbers of the jobs."""
    numbers: list[int] = []
    async with open_manager(order.url) as jobs:
        say("ready")
        await told()
        while claims := (await jobs.claim(order.way, [QUEUE], CLAIMED)).claims:
            numbers += (claim.job.arguments["number"] for claim in claims)
            await asyncio.gather(*map(jobs.complete, claims))
        say("done", numbers=numbers, ended=time.monotonic())


async def crowd(store: str, count: int, jobs: int) -> tuple[str, ...]:
    """What *count* processes make of so many *jobs*."""
    with TemporaryDirectory(prefix="jobcore-crowd-") as folder:
        async with STORES[store].place(Path(folder)) as url, AsyncExitStack() as stack:
            await fill(url, jobs)
            claimers = []
            for number in range(count):
                order = Order(role="claim", url=url, way=f"claimer-{number}")
                process = started([sys.executable], Path(__file__), order)
                claimers.append(await stack.enter_async_context(process))
            for claimer in claimers:
                await claimer.heard("ready")
            began = time.monotonic()
            for claimer in claimers:
                claimer.tell()
            done = [await claimer.heard("done") for claimer in claimers]
            seconds = max(each["ended"] for each in done) - began
            times = Counter(number for each in done for number in each["numbers"])
            async with open_manager(url) as manager:
                completed = (await manager.statistics()).count(JobStatus.COMPLETED)
    wrong = sum(times[number] != 1 for number in range(jobs))
    assert not wrong, f"{wrong} of {jobs} not claimed once"
    assert completed == jobs, f"{completed} of {jobs} completed"
    parts = sorted(len(each["numbers"]) for each in done)
    return str(count), f"{jobs / seconds:,.0f}", f"{parts[0]:,}-{parts[-1]:,}"


async def measure(given: argparse.Namespace) -> None:
    lines = []
    for _ in range(given.repeat):
        for count in given.processes:
            lines.append(await crowd(given.store, count, given.jobs))
            print(*lines[-1], file=sys.stderr)
    heads = ("processes", "jobs/s", "jobs of each process")
    print("\n".join(report.table(heads, lines)))
    print(f"each of {given.jobs:,} jobs was claimed once")


def _counts(text: str) -> Sequence[int]:
    return [int(each) for each in text.split(",")]


def main() -> None:
    if sys.argv[1:2] and sys.argv[1].startswith("{"):
        asyncio.run(claim_all(Order(**json.loads(sys.argv[1]))))
        return
    parser = argparse.ArgumentParser(description="Let many processes claim at once")
    stores = [name for name, store in STORES.items() if store.is_shared]
    parser.add_argument("--store", choices=stores, default=stores[-1])
    parser.add_argument("--processes", type=_counts, default=[1, 8])
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    print("; ".join(f"{name}: {value}" for name, value in report.machine().items()))
    asyncio.run(measure(given))


if __name__ == "__main__":
    main()
