"""Measure what workers cost a server that have nothing to do.

    uv run benchmarks/idle.py [--processes 5] [--workers 20] [--seconds 60]

Each process has one store and so many workers. After they have settled, the CPU time of
the server's processes that serve them is taken, and that of all its processes, to which
others who use the server add.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import report
from contestant import Order, say, told
from processes import started
from stores import POSTGRES, STORES, postgres_cpu

from jobcore import Tasks, Worker, open_manager

BACKENDS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
COMMITS = """
    SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()
"""
SETTLE = 5.0
"""Seconds until everything has been prepared once."""

tasks = Tasks()


@tasks.task()
async def work() -> None: ...


async def idle(order: Order) -> None:
    """Have workers until told."""
    async with AsyncExitStack() as stack:
        jobs = await stack.enter_async_context(open_manager(order.url))
        for _ in range(order.jobs):
            await stack.enter_async_context(Worker(jobs, tasks))
        say("ready")
        await told()


async def watch(url: str, seconds: float) -> tuple[str, ...]:
    """How many backends the database had, what part of a core they used, and what all
    of the server did; and the transactions per second, of one statement each."""
    connection = await asyncpg.connect(url)
    try:
        backends = {row[0] for row in await connection.fetch(BACKENDS)}
        commits = await connection.fetchval(COMMITS)
        served, used = postgres_cpu(backends), postgres_cpu()
        await asyncio.sleep(seconds)
        served, used = postgres_cpu(backends) - served, postgres_cpu() - used
        commits = await connection.fetchval(COMMITS) - commits
        later = {row[0] for row in await connection.fetch(BACKENDS)}
    finally:
        await connection.close()
    served += postgres_cpu(later - backends)
    parts = (served / seconds, used / seconds)
    return str(len(later)), *map("{:.2%}".format, parts), f"{commits / seconds:.0f}"


async def measure(given: argparse.Namespace) -> None:
    async with STORES["postgresql"].place(Path()) as url, AsyncExitStack() as stack:
        async with open_manager(url):
            pass
        order = Order(role="idle", url=url, jobs=given.workers)
        crowd = []
        for _ in range(given.processes):
            process = started([sys.executable], Path(__file__), order)
            crowd.append(await stack.enter_async_context(process))
        for each in crowd:
            await each.heard("ready")
        await asyncio.sleep(SETTLE)
        watched = await watch(url, given.seconds)
        for each in crowd:
            each.tell()
    heads = ("workers", "processes", "connections", "of a core", "the whole server")
    line = (str(given.workers * given.processes), str(given.processes), *watched)
    print("\n".join(report.table((*heads, "transactions/s"), [line])))


def main() -> None:
    if sys.argv[1:2] and sys.argv[1].startswith("{"):
        asyncio.run(idle(Order(**json.loads(sys.argv[1]))))
        return
    parser = argparse.ArgumentParser(description="Measure idle workers")
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--workers", type=int, default=20, help="of each process")
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    if "postgresql" not in STORES:
        parser.error(f"{POSTGRES} names no server")
    print("; ".join(f"{name}: {value}" for name, value in report.machine().items()))
    asyncio.run(measure(given))


if __name__ == "__main__":
    main()
