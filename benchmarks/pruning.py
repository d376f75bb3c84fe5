"""Pruning in one process, while another claims."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence

from filling import APART, QUEUES

from jobcore import (
    DefaultJobManager,
    Filter,
    JobcoreConfig,
    JobManager,
    open_manager,
)
from jobcore.registry import store_from_url
from jobcore.wrappers import StoreWrapper

LONGEST = 30.0
"""Seconds of claims without pruning."""


class TimedStore(StoreWrapper):
    """Remembers how many milliseconds each batch of deletions took."""

    def __init__(self, url: str) -> None:
        super().__init__(store_from_url(url))
        self.taken: list[float] = []

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the contract's
        began = time.perf_counter()
        deleted = await super().delete(filter, limit)
        self.taken.append((time.perf_counter() - began) * 1e3)
        return deleted


async def prune(url: str, kept: int) -> None:
    """Prune what was completed but for the *kept* newest jobs, and print how many that
    were, the seconds, and the milliseconds of each batch."""
    config = JobcoreConfig(retention_completed=kept * APART)
    async with TimedStore(url) as store, DefaultJobManager(store, config) as jobs:
        began = time.perf_counter()
        pruned = await jobs.prune()
        print(json.dumps([pruned, time.perf_counter() - began, store.taken]))


async def claim_beside(
    jobs: JobManager, process: asyncio.subprocess.Process | None, seconds: float
) -> list[float]:
    """The milliseconds of single claims, while *process* runs, or for *seconds*."""
    taken = []
    until = time.monotonic() + seconds
    while process.returncode is None if process else time.monotonic() < until:
        began = time.perf_counter()
        claims = (await jobs.claim("claimer", QUEUES[:1], 1)).claims
        taken.append((time.perf_counter() - began) * 1e3)
        assert claims, "the queue has run empty"
        await asyncio.gather(*map(jobs.release, claims))
        await asyncio.sleep(0.005)
    return taken


async def prune_beside_claims(url: str, kept: int) -> list[tuple[str, ...]]:
    """How long claims and batches took while the store was pruned, and claims after."""
    async with open_manager(url) as jobs:
        await claim_beside(jobs, None, 0.1)  # which prepares the statements
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, __file__, url, str(kept)), stdout=asyncio.subprocess.PIPE
        )
        waiting = asyncio.create_task(process.communicate())
        beside = await claim_beside(jobs, process, 0)
        output, _ = await waiting
        assert process.returncode == 0, "pruning failed"
        pruned, seconds, batches = json.loads(output)
        alone = await claim_beside(jobs, None, min(seconds, LONGEST))
    title = f"a claim beside pruning {pruned:,} jobs in {seconds:.1f} s"
    return [
        line(title, beside),
        line("a claim alone", alone),
        line("a batch of pruning", batches),
    ]


def line(title: str, taken: Sequence[float]) -> tuple[str, ...]:
    """The row of a table: how many there were, the median, p99 and the longest."""
    ordered = sorted(taken)
    cuts = (ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1])
    return title, f"{len(ordered):,}", *(f"{each:.1f}" for each in cuts)


if __name__ == "__main__":
    asyncio.run(prune(sys.argv[1], int(sys.argv[2])))
