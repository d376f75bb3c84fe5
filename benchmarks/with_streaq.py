# /// script
# requires-python = ">=3.11"
# dependencies = ["streaq>=7.2"]
# ///
"""streaQ."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self

from anyio import create_task_group
from contestant import QUIET, Contestant, Journal, Offer, Order, main
from streaq import Worker

SETTINGS = (
    "coredis; silent=True; prefetch as the concurrency, beside those that run; claims "
    "last 60 s and are renewed"
)


class StreaQ(Contestant):
    package = "streaq"
    offers = (
        Offer(
            store="redis",
            works=frozenset({"one", "tasks", "bulk", "drain", "two", "nap", "latency"}),
            share=0.2,
            settings=f"ttl=0: an ended job is deleted; {SETTINGS}",
        ),
        Offer(
            store="redis",
            variant="defaults",
            works=frozenset({"drain", "two"}),
            share=0.2,
            settings=f"results are kept for 5 minutes; {SETTINGS}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._exits = AsyncExitStack()
        self._worker: Any = Worker(
            redis_url=order.url, concurrency=order.concurrency, handle_signals=False
        )

        async def work(number: int) -> None:
            journal.note(number)
            if order.nap:
                await asyncio.sleep(order.nap)

        options = {} if order.variant else {"ttl": 0}
        self._work = self._worker.task(name="work", silent=True, **options)(work)

    async def __aenter__(self) -> Self:
        logging.getLogger("streaq").setLevel(logging.WARNING)
        if self.order.role in {"submit", "call"}:
            await self._exits.enter_async_context(self._worker)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def submit(self, number: int) -> None:
        await self._work.enqueue(number)

    async def submit_many(self, numbers: Sequence[int]) -> None:
        await self._worker.enqueue_many([self._work.enqueue(each) for each in numbers])

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        async with create_task_group() as tasks:
            await tasks.start(self._worker.run_async)
            yield
            while await self.left():  # noqa: ASYNC110 - what is cut off raises
                await asyncio.sleep(QUIET)
            tasks.cancel_scope.cancel()

    async def left(self) -> int:
        return int(await self._worker.queue_size())


if __name__ == "__main__":
    main(StreaQ)
