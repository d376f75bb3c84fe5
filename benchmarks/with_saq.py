# /// script
# requires-python = ">=3.11"
# dependencies = ["saq[hiredis,postgres,redis]==0.26.4", "psycopg[binary]==3.3.9"]
# ///
"""SAQ, with its queue in PostgreSQL or in Redis."""

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
from saq.queue.redis import RedisQueue

LOCK = "SELECT pg_advisory_lock(1)"
UNLOCK = "SELECT pg_advisory_unlock(1)"
WORKS = frozenset({"one", "tasks", "drain", "two", "nap", "latency"})
POSTGRESQL = "psycopg, its pool of 20; woken by NOTIFY"
REDIS = "hiredis; one blocking read per running job"
KEPT = "ended jobs and results are kept for 10 minutes"
DELETED = "ttl=-1: an ended job is deleted"


class SAQContestant(Contestant):
    package = "saq"
    offers = (
        Offer(
            store="postgresql",
            works=WORKS,
            share=0.2,
            settings=f"{POSTGRESQL}; {KEPT}",
        ),
        Offer(
            store="postgresql",
            variant="deleting",
            works=frozenset({"drain", "two"}),
            share=0.2,
            settings=f"{POSTGRESQL}; {DELETED}",
        ),
        Offer(store="redis", works=WORKS, share=0.3, settings=f"{REDIS}; {KEPT}"),
        Offer(
            store="redis",
            variant="deleting",
            works=frozenset({"drain", "two"}),
            share=0.3,
            settings=f"{REDIS}; {DELETED}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._exits = AsyncExitStack()
        self._options = {"ttl": -1} if order.variant else {}

    async def __aenter__(self) -> Self:
        logging.getLogger("saq").setLevel(logging.ERROR)
        if self.order.store == "redis":
            self._queue: Any = RedisQueue.from_url(self.order.url)
        else:
            self._queue = await self._in_postgresql()
        self._exits.push_async_callback(self._queue.disconnect)
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

    async def _in_postgresql(self) -> Any:
        connect = psycopg.AsyncConnection.connect(self.order.url, autocommit=True)
        async with await connect as look:
            await look.execute(LOCK)  # two may start at once
            queue = PostgresQueue.from_url(self.order.url)
            await queue.connect()
            await look.execute(UNLOCK)
        return queue


if __name__ == "__main__":
    main(SAQContestant)
