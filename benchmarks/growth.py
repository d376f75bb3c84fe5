"""Measure what claims cost as a store grows, and whether pruning gets in their way.

    uv run benchmarks/growth.py [--store postgresql] [--sizes 10000,100000,1000000]

The first size is that of a small store: so many jobs in each of the statuses queued,
scheduled, held and completed, in five queues. The others have as many queued and
scheduled ones, a tenth held, and twice as many completed; what is scheduled has a
higher priority than what is queued. Claims of 100 are made in all of them in turn. Then
half of the largest store's completed jobs are pruned by one process, while another
claims. For PostgreSQL, the plan of the claim is shown with what it locked; for Redis,
what its slow log has. It takes minutes, and some gigabytes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import processes
import report
from explaining import explained
from filling import QUEUES, few, fill, many, verify
from pruning import prune_beside_claims
from slow import slow
from stores import STORES

from jobcore import JobManager, open_manager

CLAIMED = 100
CLAIM = f"claim of {CLAIMED}"

Taken = Mapping[str, Mapping[int, list[float]]]
"""The milliseconds that each act took, by the size of the store."""


async def claim_once(jobs: JobManager, queue: str) -> tuple[float, float]:
    """The milliseconds of a claim, and of the batch that completes it."""
    began = time.perf_counter()
    claims = (await jobs.claim("claimer", [queue], CLAIMED)).claims
    claimed = time.perf_counter()
    assert len(claims) == CLAIMED, f"{queue} has run empty"
    await asyncio.gather(*map(jobs.complete, claims))
    return (claimed - began) * 1e3, (time.perf_counter() - claimed) * 1e3


async def compare(urls: Mapping[int, str], times: int) -> Taken:
    """Claims, completions and statistics of each store, in turn."""
    taken: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    async with AsyncExitStack() as stack:
        managers = {
            size: await stack.enter_async_context(open_manager(url))
            for size, url in urls.items()
        }
        for number in range(-1, times):
            queue = QUEUES[number % len(QUEUES)]
            for size, jobs in managers.items():
                claimed, completed = await claim_once(jobs, queue)
                began = time.perf_counter()
                await jobs.statistics()
                counted = (time.perf_counter() - began) * 1e3
                if number >= 0:  # the first of all prepares the statements
                    taken[CLAIM][size].append(claimed)
                    taken[f"completion of {CLAIMED}"][size].append(completed)
                    taken["statistics"][size].append(counted)
    return taken


def table(taken: Taken) -> str:
    """The medians, and how many times as long the largest store takes."""
    sizes = list(taken[CLAIM])
    lines = [
        (
            name,
            *(f"{median(each):.2f} ({report.span(each)})" for each in by_size.values()),
            f"{median(by_size[sizes[-1]]) / median(by_size[sizes[0]]):.2f} x",
        )
        for name, by_size in taken.items()
    ]
    heads = ("median ms", *(f"{size:,} queued" for size in sizes), "ratio")
    return "\n".join(report.table(heads, lines))


def plot(taken: Taken, store: str, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    file = output / f"growth-{store}.json"
    file.write_text(json.dumps(taken))
    processes.run_script("plot_growth.py", file, file.with_suffix(".svg"))


@asynccontextmanager
async def places(
    store: str, sizes: Sequence[int], folder: Path
) -> AsyncIterator[Mapping[int, str]]:
    """Where the stores of all *sizes* are; on Redis they share the one place."""
    async with AsyncExitStack() as stack:
        if store == "redis":
            url = await stack.enter_async_context(STORES[store].place(folder))
            yield {size: f"{url}?jobcore_namespace=size-{size}" for size in sizes}
            return
        urls: dict[int, str] = {}
        for size in sizes:
            (folder / str(size)).mkdir()
            place = STORES[store].place(folder / str(size))
            urls[size] = await stack.enter_async_context(place)
        yield urls


async def measure(given: argparse.Namespace, folder: Path) -> None:
    since = time.time()
    async with places(given.store, given.sizes, folder) as urls:
        for size in given.sizes:
            amounts = many(size) if size > given.sizes[0] else few(size)
            began = time.monotonic()
            await fill(urls[size], amounts)
            filled = time.monotonic() - began
            await verify(urls[size], amounts)
            told = ", ".join(f"{count:,} {status}" for status, count in amounts.items())
            print(f"{told}: filled in {filled:.0f} s, and sound", flush=True)
        taken = await compare(urls, given.times)
        print(table(taken), end="\n\n", flush=True)
        if given.plots:
            plot(taken, given.store, given.output)
        largest = given.sizes[-1]
        if given.store == "postgresql":
            print(await explained(urls[largest], CLAIMED, QUEUES[-1]), end="\n\n")
        lines = await prune_beside_claims(urls[largest], largest)
        if given.store == "redis":
            print(await slow(urls[largest], since), end="\n\n")
    heads = ("ms", "times", "median", "p99", "longest")
    print("\n".join(report.table(heads, lines)))


def _sizes(text: str) -> Sequence[int]:
    return sorted({int(each) for each in text.split(",")})


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a growing store")
    stores = [name for name, store in STORES.items() if store.is_shared]
    parser.add_argument("--store", choices=stores, default="sqlite")
    parser.add_argument("--sizes", type=_sizes, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=90, help="claims of each store")
    parser.add_argument("--folder", type=Path, help="where files shall be")
    parser.add_argument("--output", type=Path, default=processes.HERE / "output")
    parser.add_argument("--no-plots", dest="plots", action="store_false")
    given = parser.parse_args()
    facts = report.machine().items()
    print("; ".join(f"{name}: {value}" for name, value in facts))
    with TemporaryDirectory(prefix="jobcore-growth-", dir=given.folder) as folder:
        asyncio.run(measure(given, Path(folder)))


if __name__ == "__main__":
    main()
