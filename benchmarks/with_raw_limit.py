"""What Python and SQLite allow: the least that takes jobs, starts them and keeps their
results. No lease, no retry, no attempt, no checked argument."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex
from types import TracebackType

from contestant import Contestant, Journal, Offer, Order, main

BATCH = 100
SCHEMA = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS jobs (
        id TEXT PRIMARY KEY, queue TEXT, priority INTEGER, due_at INTEGER,
        number INTEGER, status TEXT, token TEXT, result INTEGER, finished_at INTEGER
    );
    CREATE INDEX IF NOT EXISTS queued ON jobs (queue, priority, due_at, id)
    WHERE status = 'queued';
    CREATE INDEX IF NOT EXISTS finished ON jobs (finished_at)
    WHERE finished_at IS NOT NULL;
"""
SUBMIT = "INSERT INTO jobs VALUES (?, 'default', 0, ?, ?, 'queued', NULL, NULL, NULL)"
CLAIM = """
    UPDATE jobs SET status = 'in_progress', token = ?
    WHERE id IN (
        SELECT id FROM jobs WHERE status = 'queued' AND queue = 'default'
        ORDER BY priority, due_at, id LIMIT ?
    )
    RETURNING id, number
"""
COMPLETE = """
    UPDATE jobs SET status = 'completed', token = NULL, result = ?, finished_at = ?
    WHERE id = ? AND token = ?
"""


class RawLimit(Contestant):
    package = ""
    offers = (
        Offer(
            store="memory",
            works=frozenset({"drain", "nap"}),
            settings="asyncio tasks from a deque, as many as the concurrency",
        ),
        Offer(
            store="sqlite",
            works=frozenset({"bulk", "drain"}),
            settings="sqlite3 in one thread, WAL, synchronous=NORMAL, batches of 100 "
            "(1000 when submitting); jobs are function calls, one after the other",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._waiting = deque[int]()
        self._running = set[asyncio.Task[None]]()
        file = order.url.removeprefix("sqlite:///")
        self._connection: sqlite3.Connection | None = None
        if order.store == "sqlite":
            self._connection = sqlite3.connect(file, isolation_level=None)
            self._connection.executescript(SCHEMA)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    async def submit(self, number: int) -> None:
        await self.submit_many([number])

    async def submit_many(self, numbers: Sequence[int]) -> None:
        if self._connection is None:
            self._waiting.extend(numbers)
            return
        self._connection.execute("BEGIN IMMEDIATE")
        rows = [(token_hex(16), time.time_ns(), number) for number in numbers]
        self._connection.executemany(SUBMIT, rows)
        self._connection.execute("COMMIT")

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        if self._connection is not None:
            working = asyncio.create_task(self._drain(self._connection))
            yield
            await working
            return
        for _ in range(self.order.concurrency):
            self._start_next()
        yield

    async def left(self) -> int:
        if self._connection is None:
            return len(self._waiting) + len(self._running)
        unfinished = "SELECT count(*) FROM jobs WHERE status <> 'completed'"
        left: int = self._connection.execute(unfinished).fetchone()[0]
        return left

    def _start_next(self) -> None:
        if self._waiting:
            task = asyncio.create_task(self._work(self._waiting.popleft()))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._start_next()

    async def _work(self, number: int) -> None:
        self.journal.note(number)
        if self.order.nap:
            await asyncio.sleep(self.order.nap)

    async def _drain(self, connection: sqlite3.Connection) -> None:
        while True:
            token = token_hex(16)
            connection.execute("BEGIN IMMEDIATE")
            claimed = connection.execute(CLAIM, (token, BATCH)).fetchall()
            connection.execute("COMMIT")
            if not claimed:
                return
            for _, number in claimed:
                self.journal.note(number)
            connection.execute("BEGIN IMMEDIATE")
            now = time.time_ns()
            ended = [(number, now, job_id, token) for job_id, number in claimed]
            connection.executemany(COMPLETE, ended)
            connection.execute("COMMIT")
            await asyncio.sleep(0)


if __name__ == "__main__":
    main(RawLimit)
