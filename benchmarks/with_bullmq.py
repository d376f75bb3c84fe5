# /// script
# requires-python = ">=3.11"
# dependencies = ["bullmq[postgres]==3.4.4", "redis[hiredis]>=8"]
# ///
"""BullMQ's port to Python, with its backends for PostgreSQL and for Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from bullmq import Queue, Worker
from contestant import Contestant, Journal, Offer, Order, main

NAME = "work"
WORKS = frozenset({"one", "tasks", "bulk", "drain", "two", "nap", "latency"})


class BullMQContestant(Contestant):
    package = "bullmq"
    offers = (
        Offer(
            store="postgresql",
            works=WORKS,
            share=0.2,
            settings="psycopg, one connection for submits, two for a worker; ended "
            "jobs and results are kept (removeOnComplete is no faster)",
        ),
        Offer(
            store="redis",
            works=WORKS,
            share=0.2,
            settings="hiredis; locks of 30 s, renewed; ended jobs and results are kept",
        ),
        Offer(
            store="redis",
            variant="deleting",
            works=frozenset({"drain", "two"}),
            share=0.2,
            settings="hiredis; locks of 30 s, renewed; removeOnComplete: an ended job "
            "is deleted",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._options: dict[str, Any] = {"connection": order.url}
        if order.store == "postgresql":
            self._options["backend"] = "postgres"
        if order.variant:
            self._options["defaultJobOptions"] = {"removeOnComplete": True}

    async def __aenter__(self) -> Self:
        self._queue = Queue(NAME, self._options)
        await self.left()  # which makes the tables
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._queue.close()

    async def submit(self, number: int) -> None:
        await self._queue.add(NAME, {"number": number})

    async def submit_many(self, numbers: Sequence[int]) -> None:
        await self._queue.addBulk(
            [{"name": NAME, "data": {"number": each}} for each in numbers]
        )

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        journal, nap = self.journal, self.order.nap

        async def work(job: Any, _: str) -> None:
            journal.note(job.data["number"])
            if nap:
                await asyncio.sleep(nap)

        concurrency = {"concurrency": self.order.concurrency}
        worker = Worker(NAME, work, {**self._options, **concurrency})
        try:
            yield
        finally:
            await worker.close(force=True)

    async def left(self) -> int:
        counts = await self._queue.getJobCounts("active", "waiting", "delayed")
        return sum(counts.values())


if __name__ == "__main__":
    main(BullMQContestant)
