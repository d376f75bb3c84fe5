"""Measure whether claims suffer while an operator retries what has failed.

    uv run benchmarks/retrying.py [--store redis] [--jobs 100000]

So many jobs have failed for good, and as many others wait. One process retries all that
failed, by a filter, while another claims and releases single jobs, every few
milliseconds; then it goes on alone. It tells how far the operator is every ten thousand
jobs, and how long claims took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import report
from filling import QUEUES
from pruning import claim_beside, line
from stores import STORES

from jobcore import (
    DefaultJobManager,
    Filter,
    JobRequest,
    JobStatus,
    Verifiable,
    never,
    open_manager,
    store_from_url,
)

BATCH = 1000
FAILED = Filter(statuses=frozenset({JobStatus.FAILED}))


async def fill(jobs: DefaultJobManager, number: int) -> None:
    """Let *number* jobs have failed, and as many wait in the claimed queue."""
    request = JobRequest("noop")
    for _ in range(number // BATCH):
        await jobs.submit_many([request] * BATCH, queue="failing", max_retries=0)
        await jobs.submit_many([request] * BATCH, queue=QUEUES[0])
        claims = (await jobs.claim("filler", ["failing"], BATCH)).claims
        error = ValueError("no")
        await asyncio.gather(
            *(jobs.fail(claim, error, retry=never()) for claim in claims)
        )


async def retry(url: str) -> None:
    """Retry what has failed, and print how many that were and the seconds."""

    def tell(done: int) -> None:
        if done % 10_000 < 500:
            print(f"{done:,} retried", file=sys.stderr)

    async with open_manager(url) as jobs:
        began = time.perf_counter()
        matching = jobs.matching(FAILED, actor="benchmark", on_progress=tell)
        wanted = await matching.count()
        retried = await matching.retry()
        print(json.dumps([wanted, retried, time.perf_counter() - began]))


async def measure(store: str, number: int) -> None:
    async with place(store) as url:
        async with open_manager(url) as jobs:
            await fill(jobs, number)
            await claim_beside(jobs, None, 0.1)  # which prepares the statements
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, __file__, "--at", url), stdout=asyncio.subprocess.PIPE
            )
            waiting = asyncio.create_task(process.communicate())
            beside = await claim_beside(jobs, process, 0)
            output, _ = await waiting
            wanted, retried, seconds = json.loads(output)
            alone = await claim_beside(jobs, None, seconds)
            left = (await jobs.statistics()).count(JobStatus.FAILED)
        async with store_from_url(url) as opened:
            verifiable = opened.ability(Verifiable)
            sound = verifiable is None or (await verifiable.verify()).sound
    title = f"a claim beside retrying {retried:,} of {wanted:,} jobs in {seconds:.1f} s"
    lines = [line(title, beside), line("a claim alone", alone)]
    print("\n".join(report.table(("ms", "times", "median", "p99", "longest"), lines)))
    print(f"{left} are left, and the store is {'sound' if sound else 'NOT sound'}")


@asynccontextmanager
async def place(store: str) -> AsyncIterator[str]:
    with TemporaryDirectory(prefix="jobcore-retrying-") as folder:
        async with STORES[store].place(Path(folder)) as url:
            yield url


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure retrying beside claims")
    stores = [name for name, store in STORES.items() if store.is_shared]
    parser.add_argument("--store", choices=stores, default="sqlite")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--at", help="retry what has failed there, and nothing else")
    given = parser.parse_args()
    logging.getLogger("jobcore").setLevel(logging.ERROR)  # each failure is a warning
    if given.at:
        asyncio.run(retry(given.at))
        return
    print("; ".join(f"{name}: {value}" for name, value in report.machine().items()))
    asyncio.run(measure(given.store, given.jobs))


if __name__ == "__main__":
    main()
