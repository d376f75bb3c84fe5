# /// script
# requires-python = ">=3.11"
# dependencies = ["pgqueuer==1.6.0", "asyncpg==0.32.0"]
# ///
"""PgQueuer, with asyncpg, which is its fastest driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import asyncpg
from contestant import Contestant, Journal, Offer, Order, main
from pgqueuer import PgQueuer

NAME = "work"
LEFT = "SELECT count(*) FROM pgqueuer"


class PgQueuerContestant(Contestant):
    package = "pgqueuer"
    offers = (
        Offer(
            store="postgresql",
            works=frozenset({"one", "tasks", "bulk", "drain", "two", "nap", "latency"}),
            settings="asyncpg; batch_size=100, running jobs not capped; no results are "
            "kept, an ended job is deleted, with a line in a log; one connection for "
            "submits, and two for a worker",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._connections: list[Any] = []

    async def __aenter__(self) -> Self:
        self._queue = PgQueuer.from_asyncpg_connection(await self._connect())
        self._look = await self._connect()
        await self._look.execute("SELECT pg_advisory_lock(1)")  # two may start at once
        if not await self._queue.queries.schema_is_installed():
            await self._queue.queries.install()
        await self._look.execute("SELECT pg_advisory_unlock(1)")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for each in self._connections:
            await each.close()

    async def submit(self, number: int) -> None:
        await self._queue.queries.enqueue(NAME, str(number).encode())

    async def submit_many(self, numbers: Sequence[int]) -> None:
        payloads = [str(number).encode() for number in numbers]
        names, priorities = [NAME] * len(payloads), [0] * len(payloads)
        await self._queue.queries.enqueue(names, payloads, priorities)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        queue, journal, nap = self._queue, self.journal, self.order.nap

        async def work(job: Any) -> None:
            journal.note(int(job.payload))
            if nap:
                await asyncio.sleep(nap)

        queue.entrypoint(NAME)(work)
        pause = timedelta(seconds=30)
        running = asyncio.create_task(queue.run(dequeue_timeout=pause, batch_size=100))
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def left(self) -> int:
        left: int = await self._look.fetchval(LEFT)
        return left

    async def _connect(self) -> Any:
        connection = await asyncpg.connect(self.order.url)
        self._connections.append(connection)
        return connection


if __name__ == "__main__":
    main(PgQueuerContestant)
