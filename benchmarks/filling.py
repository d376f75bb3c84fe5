"""Filling a store with millions of jobs: one of each kind is made by the library, and
copied by the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta

import asyncpg
from filling_redis import Copy, fill_redis

from jobcore import JobStatus, JobStore, Tasks, Verifiable, open_manager
from jobcore_redis import RedisJobStore
from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.tables import jobs as table

Amounts = Mapping[JobStatus, int]
"""How many jobs there shall be in each status, all queues together."""

QUEUES = tuple(f"queue-{number}" for number in range(5))
APART = timedelta(milliseconds=1)
"""What lies between the instants of a job and the next of its status."""
URGENT = -1
"""The priority of the jobs that are scheduled, above that of those that are queued."""
_DISTANT = timedelta(days=30)

_COUNTS = """
    DELETE FROM counts; DELETE FROM deltas;
    INSERT INTO counts (queue, status, n)
    SELECT queue, status, count(*) FROM jobs GROUP BY queue, status
"""

tasks = Tasks()


@tasks.task()
async def work() -> None: ...


@tasks.task()
async def paused_work() -> None: ...


def few(count: int) -> Amounts:
    """As many of each."""
    statuses = ("queued", "scheduled", "held", "completed")
    return dict.fromkeys(map(JobStatus, statuses), count)


def many(count: int) -> Amounts:
    """Few of them held, and most of them finished."""
    held = {JobStatus.HELD: count // 10, JobStatus.COMPLETED: 2 * count}
    return {**few(count), **held}


async def fill(url: str, amounts: Amounts) -> None:
    """Let the new store at *url* have these jobs, in `QUEUES`."""
    patterns = await _patterns(url)
    copies = [
        (patterns[status], status, number, count - 1)
        for number, (status, count) in enumerate(amounts.items())
    ]
    if url.startswith("sqlite"):
        _fill_file(url.removeprefix("sqlite:///"), copies)
    elif url.startswith("redis"):
        await fill_redis(url, copies)
    else:
        await _fill_database(url, copies)


async def verify(url: str, amounts: Amounts) -> None:
    """That what is there is what the store itself would have written."""
    async with _patient(url) as store:
        statistics = await store.statistics()
        found = {status: statistics.count(status) for status in amounts}
        assert found == amounts, f"{found}, not {amounts}"
        verifiable = store.ability(Verifiable)
        assert verifiable is not None
        verification = await verifiable.verify()
        assert verification.sound, verification


def _patient(url: str) -> JobStore:
    if url.startswith("redis"):
        return RedisJobStore(url)
    patience = timedelta(minutes=10)
    options = SQLOptions(statement_timeout=patience, call_timeout=patience)
    return SQLJobStore(url, options)


async def _patterns(url: str) -> Mapping[JobStatus, str]:
    """The id of a job in each status."""
    queue = QUEUES[0]
    async with open_manager(url) as jobs:
        ended = await jobs.submit(work.job(), queue=queue)
        (claim,) = (await jobs.claim("filler", [queue], 1)).claims
        await jobs.complete(claim)
        await jobs.pause(task=paused_work.name)
        held = await jobs.submit(paused_work.job(), queue=queue)
        await jobs.claim("filler", [queue], 1)
        late = await jobs.submit(
            work.job(), queue=queue, delay=_DISTANT, priority=URGENT
        )
        queued = await jobs.submit(work.job(), queue=queue)
    return {
        JobStatus.COMPLETED: ended.id,
        JobStatus.HELD: held.id,
        JobStatus.SCHEDULED: late.id,
        JobStatus.QUEUED: queued.id,
    }


def _copying(copy: Copy, step: str) -> str:
    """The statement that makes copies, each with an id and instants of its own, that
    lie *step* apart."""
    pattern, status, number, count = copy
    later = "+" if status is JobStatus.SCHEDULED else "-"
    moved = {
        "id": f"'{number:08x}-0000-7000-8000-' || (200000000000 - n)",
        "queue": "'queue-' || (n % 5)",
        "created_at": f"created_at - {step}",
        "due_at": f"due_at {later} {step}",
        "finished_at": f"finished_at - {step}",
    }
    names = [each.name for each in table.columns]
    values = ", ".join(moved.get(name, name) for name in names)
    return f"""
        WITH RECURSIVE numbers (n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}
        )
        INSERT INTO jobs ({", ".join(names)})
        SELECT {values} FROM numbers, (SELECT * FROM jobs WHERE id = '{pattern}') AS one
    """  # noqa: S608 - all of it is ours


def _fill_file(file: str, copies: Sequence[Copy]) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -500000")
        for copy in copies:
            connection.execute(_copying(copy, "1000 * n"))
        connection.executescript(_COUNTS)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def _fill_database(url: str, copies: Sequence[Copy]) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET synchronous_commit = off")
        for copy in copies:
            await connection.execute(_copying(copy, "n * interval '1 millisecond'"))
        await connection.execute(_COUNTS)
        await connection.execute("VACUUM ANALYZE")  # as autovacuum would have by then
    finally:
        await connection.close()
