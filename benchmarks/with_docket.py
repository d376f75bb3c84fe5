# /// script
# requires-python = ">=3.11"
# dependencies = ["pydocket>=0.27", "redis[hiredis]"]
# ///
"""docket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Self

from contestant import Contestant, Journal, Offer, Order, main
from docket import Docket, Worker

CONNECTIONS = 1000
SETTINGS = f"hiredis, up to {CONNECTIONS} connections; leases of 5 minutes, renewed"


class DocketContestant(Contestant):
    package = "pydocket"
    offers = (
        Offer(
            store="redis",
            works=frozenset({"one", "tasks", "bulk", "drain", "two", "nap", "latency"}),
            share=0.2,
            settings="minimum_check_interval=5 ms, execution_ttl=0: an ended job is "
            f"deleted; {SETTINGS}",
        ),
        Offer(
            store="redis",
            variant="defaults",
            works=frozenset({"drain", "two", "latency"}),
            share=0.2,
            settings="minimum_check_interval=250 ms; how each ended is kept for 15 "
            f"minutes; {SETTINGS}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        url = f"{order.url}?max_connections={CONNECTIONS}"
        kept = timedelta(minutes=15 if order.variant else 0)
        self._docket = Docket(name="benchmark", url=url, execution_ttl=kept)

        async def work(number: int) -> None:
            journal.note(number)
            if order.nap:
                await asyncio.sleep(order.nap)

        self._work = work
        self._docket.register(work)

    async def __aenter__(self) -> Self:
        logging.getLogger("docket").setLevel(logging.ERROR)
        await self._docket.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._docket.__aexit__(kind, error, traceback)

    async def submit(self, number: int) -> None:
        await self._docket.add(self._work)(number)

    async def submit_many(self, numbers: Sequence[int]) -> None:
        calls = [self._docket.call(self._work)(number) for number in numbers]
        await self._docket.add_many(calls)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        pause = 250 if self.order.variant else 5
        worker = Worker(
            self._docket,
            concurrency=self.order.concurrency,
            minimum_check_interval=timedelta(milliseconds=pause),
        )
        async with worker:
            running = asyncio.create_task(worker.run_forever())
            try:
                yield
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def left(self) -> int:
        async with self._docket.redis() as redis:
            streamed = await redis.xlen(self._docket.stream_key)
            return int(streamed + await redis.zcard(self._docket.queue_key))


if __name__ == "__main__":
    main(DocketContestant)
