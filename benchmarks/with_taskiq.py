# /// script
# requires-python = ">=3.11"
# dependencies = ["taskiq>=0.13", "taskiq-redis>=1.2", "redis[hiredis]"]
# ///
"""taskiq, with its queue in a list or in a stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from contestant import Contestant, Journal, Offer, Order, main
from redis.asyncio import Redis
from taskiq.api import run_receiver_task
from taskiq_redis import ListQueueBroker, RedisStreamBroker

QUEUE = "taskiq"
WORKS = frozenset({"one", "tasks", "drain", "two", "nap", "latency"})
SETTINGS = (
    "hiredis; max_async_tasks and max_prefetch as the concurrency; arguments not "
    "checked; no result backend"
)


class Taskiq(Contestant):
    package = "taskiq"
    offers = (
        Offer(
            store="redis",
            variant="list",
            works=WORKS,
            share=0.4,
            settings=f"a claim deletes the job and nothing is acknowledged; {SETTINGS}",
        ),
        Offer(
            store="redis",
            variant="stream",
            works=WORKS,
            share=0.4,
            settings="each job is acknowledged, and stays in the stream for ever; "
            f"taken over after 10 minutes; {SETTINGS}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._in_a_list = order.variant == "list"
        kind: Any = ListQueueBroker if self._in_a_list else RedisStreamBroker
        self._broker = kind(order.url, queue_name=QUEUE)

        async def work(number: int) -> None:
            journal.note(number)
            if order.nap:
                await asyncio.sleep(order.nap)

        self._work = self._broker.task(task_name="work")(work)

    async def __aenter__(self) -> Self:
        logging.getLogger("taskiq").setLevel(logging.ERROR)
        self._look = Redis.from_url(self.order.url)
        await self._broker.startup()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._broker.shutdown()
        await self._look.aclose()

    async def submit(self, number: int) -> None:
        await self._work.kiq(number)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        running = asyncio.create_task(
            run_receiver_task(
                self._broker,
                validate_params=False,
                max_async_tasks=self.order.concurrency,
                max_prefetch=self.order.concurrency,
            )
        )
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def left(self) -> int:
        if self._in_a_list:
            return int(await self._look.llen(QUEUE))
        (group,) = await self._look.xinfo_groups(QUEUE)
        return int(group["lag"] + group["pending"])


if __name__ == "__main__":
    main(Taskiq)
