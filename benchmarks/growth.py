"""Measure what SQLite costs as a file grows, and whether pruning gets in the way.

    uv run benchmarks/growth.py [--small 10000] [--large 1000000]

Two files have that many jobs in each of the statuses queued, scheduled, held and
completed, all of one queue. Claims of 100 are made of both files in turn. Then all
completed jobs of the large file are pruned by one process, while another claims.
It takes minutes, and some gigabytes of the folder for temporary files.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import report

from jobcore import (
    DefaultJobManager,
    JobcoreConfig,
    JobManager,
    JobStatus,
    Tasks,
    Verifiable,
    open_manager,
    store_from_url,
)

CLAIMED = 100
QUEUE = "default"
DISTANT = timedelta(days=30)

tasks = Tasks()


@tasks.task()
async def work() -> None: ...


@tasks.task()
async def paused_work() -> None: ...


def url(file: Path) -> str:
    return f"sqlite:///{file}"


async def fill(file: Path, count: int) -> None:
    """Let a new *file* have *count* jobs in each status. One of each is made by the
    library, and copied by the database."""
    async with open_manager(url(file)) as jobs:
        patterns = {JobStatus.COMPLETED: (await jobs.submit(work.job())).id}
        (claim,) = (await jobs.claim("filler", [QUEUE], 1)).claims
        await jobs.complete(claim)
        await jobs.pause(task=paused_work.name)
        patterns[JobStatus.HELD] = (await jobs.submit(paused_work.job())).id
        await jobs.claim("filler", [QUEUE], 1)
        late = await jobs.submit(work.job(), delay=DISTANT)
        patterns[JobStatus.SCHEDULED] = late.id
        patterns[JobStatus.QUEUED] = (await jobs.submit(work.job())).id
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -500000")
        for number, (status, pattern) in enumerate(patterns.items()):
            copy(connection, status, pattern, number, count - 1)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def copy(
    connection: sqlite3.Connection,
    status: JobStatus,
    pattern: str,
    group: int,
    count: int,
) -> None:
    """Add *count* jobs like *pattern*, each with an id and instants of its own, and let
    the counts follow."""
    later = "+" if status is JobStatus.SCHEDULED else "-"
    moved = {each: f"{each} {later} 1000 * n" for each in ("due_at", "finished_at")}
    moved["id"] = f"printf('%08x-0000-7000-8000-%012x', {group}, {count} - n)"
    moved["created_at"] = "created_at - 1000 * n"
    names = [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]
    values = ", ".join(moved.get(name, name) for name in names)
    connection.execute(
        f"""
        WITH RECURSIVE numbers(n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?
        )
        INSERT INTO jobs ({", ".join(names)})
        SELECT {values} FROM numbers, (SELECT * FROM jobs WHERE id = ?)
        """,  # noqa: S608 - the names are the table's
        (count, pattern),
    )
    connection.execute(
        "UPDATE counts SET n = n + ? WHERE queue = ? AND status = ?",
        (count, QUEUE, status.value),
    )


async def verify(file: Path, count: int) -> None:
    """That *file* is what the store would have written."""
    async with store_from_url(url(file)) as store:
        statistics = await store.statistics()
        found = {status: statistics.count(status) for status in JobStatus}
        filled = {status: n for status, n in found.items() if n}
        wanted = {
            JobStatus.COMPLETED: count,
            JobStatus.HELD: count,
            JobStatus.SCHEDULED: count,
            JobStatus.QUEUED: count,
        }
        verifiable = store.ability(Verifiable)
        assert filled == wanted, f"{filled}, not {wanted}"
        assert verifiable is not None
        verification = await verifiable.verify()
        assert verification.sound, verification


async def claim_once(jobs: JobManager) -> tuple[float, float]:
    """The milliseconds of a claim, and of the batch that completes it."""
    began = time.perf_counter()
    claims = (await jobs.claim("claimer", [QUEUE], CLAIMED)).claims
    claimed = time.perf_counter()
    assert claims, "the queue has run empty"
    await asyncio.gather(*map(jobs.complete, claims))
    return (claimed - began) * 1e3, (time.perf_counter() - claimed) * 1e3


async def compare(files: Sequence[Path], times: int) -> list[tuple[str, ...]]:
    """Claims, completions and statistics of each file, in turn."""
    taken: dict[str, list[list[float]]] = {
        f"claim of {CLAIMED}": [[] for _ in files],
        f"completion of {CLAIMED}": [[] for _ in files],
        "statistics": [[] for _ in files],
    }
    claims, completions, statistics = taken.values()
    async with AsyncExitStack() as stack:
        managers = [
            await stack.enter_async_context(open_manager(url(file))) for file in files
        ]
        for jobs in managers:
            await claim_once(jobs)
        for _ in range(times):
            for number, jobs in enumerate(managers):
                claimed, completed = await claim_once(jobs)
                claims[number].append(claimed)
                completions[number].append(completed)
                began = time.perf_counter()
                await jobs.statistics()
                statistics[number].append((time.perf_counter() - began) * 1e3)
    return [
        (
            name,
            *(f"{median(each):.2f} ({min(each):.2f}-{max(each):.2f})" for each in both),
            f"{median(both[-1]) / median(both[0]):.2f} x",
        )
        for name, both in taken.items()
    ]


async def prune(file: Path) -> None:
    """Prune what has been completed, and print how many jobs and how long it took."""
    config = JobcoreConfig(retention_completed=timedelta(microseconds=1))
    async with (
        store_from_url(url(file)) as store,
        DefaultJobManager(store, config) as jobs,
    ):
        began = time.perf_counter()
        pruned = await jobs.prune()
        print(pruned, time.perf_counter() - began)


async def claim_beside(
    jobs: JobManager, process: asyncio.subprocess.Process | None, seconds: float
) -> list[float]:
    """The milliseconds of single claims, while *process* runs, or for *seconds*."""
    taken = []
    until = time.monotonic() + seconds
    while process.returncode is None if process else time.monotonic() < until:
        began = time.perf_counter()
        claims = (await jobs.claim("claimer", [QUEUE], 1)).claims
        taken.append((time.perf_counter() - began) * 1e3)
        assert claims, "the queue has run empty"
        await asyncio.gather(*map(jobs.release, claims))
        await asyncio.sleep(0.005)
    return taken


async def prune_beside_claims(file: Path) -> list[tuple[str, ...]]:
    """How long claims took while the large file was pruned, and after that."""
    async with open_manager(url(file)) as jobs:
        await claim_once(jobs)  # which prepares the statements
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, __file__, "--prune", str(file)),
            stdout=asyncio.subprocess.PIPE,
        )
        waiting = asyncio.create_task(process.communicate())
        beside = await claim_beside(jobs, process, 0)
        output, _ = await waiting
        assert process.returncode == 0, "pruning failed"
        pruned, seconds = map(float, output.split())
        alone = await claim_beside(jobs, None, min(seconds, 30))
    title = f"beside pruning {pruned:,.0f} jobs in {seconds:.1f} s"
    return [_blocked(title, beside), _blocked("alone", alone)]


def _blocked(title: str, taken: Sequence[float]) -> tuple[str, ...]:
    ordered = sorted(taken)
    cuts = (ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1])
    return title, f"{len(ordered):,}", *(f"{each:.1f}" for each in cuts)


async def measure(given: argparse.Namespace, folder: Path) -> None:
    files = []
    for count in (given.small, given.large):
        files.append(folder / f"{count}.db")
        began = time.monotonic()
        await fill(files[-1], count)
        size = files[-1].stat().st_size / 2**20
        print(f"4 x {count:,} jobs: {size:,.0f} MiB, {time.monotonic() - began:.0f} s")
    await verify(files[0], given.small)
    sizes = (f"4 x {given.small:,}", f"4 x {given.large:,}")
    compared = await compare(files, given.times)
    print("\n".join(report.table(("median ms", *sizes, "ratio"), compared)))
    heads = ("ms of single claims", "claims", "median", "p99", "longest")
    print("\n".join(report.table(heads, await prune_beside_claims(files[1]))))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a growing SQLite file")
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=90, help="claims of each file")
    parser.add_argument("--folder", type=Path, help="where the files shall be")
    parser.add_argument("--prune", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.prune:
        asyncio.run(prune(given.prune))
        return
    facts = report.machine().items()
    print("; ".join(f"{name}: {value}" for name, value in facts))
    with TemporaryDirectory(prefix="jobcore-growth-", dir=given.folder) as folder:
        asyncio.run(measure(given, Path(folder)))


if __name__ == "__main__":
    main()
