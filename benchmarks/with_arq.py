# /// script
# requires-python = ">=3.11"
# dependencies = ["arq>=0.28", "redis[hiredis]"]
# ///
"""arq."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from arq import Worker, create_pool, func
from arq.connections import RedisSettings
from arq.constants import default_queue_name
from contestant import Contestant, Journal, Offer, Order, main

OFTEN = 0.01
SETTINGS = "hiredis; max_jobs as the concurrency; a job is locked for 310 s, unrenewed"


class Arq(Contestant):
    package = "arq"
    offers = (
        Offer(
            store="redis",
            works=frozenset({"one", "tasks", "drain", "two", "nap", "latency"}),
            share=0.2,
            settings=f"poll_delay={OFTEN}, keep_result=0: an ended job is deleted; "
            f"{SETTINGS}",
        ),
        Offer(
            store="redis",
            variant="defaults",
            works=frozenset({"drain", "two", "latency"}),
            share=0.1,
            settings="a worker looks for jobs every 0.5 s; results are kept for an "
            f"hour; {SETTINGS}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._options: dict[str, Any] = {}
        if not order.variant:
            self._options = {"poll_delay": OFTEN, "keep_result": 0}

    async def __aenter__(self) -> Self:
        logging.getLogger("arq").setLevel(logging.WARNING)
        self._redis = await create_pool(RedisSettings.from_dsn(self.order.url))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._redis.aclose()

    async def submit(self, number: int) -> None:
        await self._redis.enqueue_job("work", number)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        journal, nap = self.journal, self.order.nap

        async def work(_: Any, number: int) -> None:
            journal.note(number)
            if nap:
                await asyncio.sleep(nap)

        worker = Worker(
            [func(work, name="work")],
            redis_pool=self._redis,
            max_jobs=self.order.concurrency,
            handle_signals=False,
            **self._options,
        )
        running = asyncio.create_task(worker.async_run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def left(self) -> int:
        return int(await self._redis.zcard(default_queue_name))


if __name__ == "__main__":
    main(Arq)
