# /// script
# requires-python = ">=3.11"
# dependencies = ["saq[postgres]==0.26.4", "psycopg[binary]==3.3.9"]
# ///
"""SAQ, with its queue in PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from contestant import Contestant, Journal, Offer, Order, main
from saq import Worker
from saq.queue.postgres import PostgresQueue

LOCK = "SELECT pg_advisory_lock(1)"
UNLOCK = "SELECT pg_advisory_unlock(1)"
WORKS = frozenset({"one", "tasks", "drain", "two", "nap", "latency"})
SETTINGS = "psycopg, its pool of 20; woken by NOTIFY"


class SAQContestant(Contestant):
    package = "saq"
    offers = (
        Offer(
            store="postgresql",
            works=WORKS,
            share=0.2,
            settings=f"{SETTINGS}; ended jobs and results are kept for 10 minutes",
        ),
        Offer(
            store="postgresql",
            variant="deleting",
            works=frozenset({"drain", "two"}),
            share=0.2,
            settings=f"{SETTINGS}; ttl=-1: an ended job is deleted",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._exits = AsyncExitStack()
        self._options = {"ttl": -1} if order.variant else {}

    async def __aenter__(self) -> Self:
        logging.getLogger("saq").setLevel(logging.ERROR)
        enter = self._exits.enter_async_context
        connect = psycopg.AsyncConnection.connect(self.order.url, autocommit=True)
        look = await enter(await connect)
        await look.execute(LOCK)  # two may start at once
        self._queue = PostgresQueue.from_url(self.order.url)
        await self._queue.connect()
        self._exits.push_async_callback(self._queue.disconnect)
        await look.execute(UNLOCK)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def submit(self, number: int) -> None:
        await self._queue.enqueue("work", number=number, **self._options)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        journal, nap = self.journal, self.order.nap

        async def work(_: Any, *, number: int) -> None:
            journal.note(number)
            if nap:
                await asyncio.sleep(nap)

        worker = Worker(
            self._queue, [("work", work)], concurrency=self.order.concurrency
        )
        running = asyncio.create_task(worker.start())
        try:
            yield
        finally:
            await worker.stop()
            await asyncio.gather(running, return_exceptions=True)

    async def left(self) -> int:
        return int(await self._queue.count("incomplete"))


if __name__ == "__main__":
    main(SAQContestant)
