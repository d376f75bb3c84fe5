# /// script
# requires-python = ">=3.11"
# dependencies = ["dramatiq[redis]>=2.2", "redis[hiredis]>=8"]
# ///
"""Dramatiq."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dramatiq
from contestant import Contestant, Journal, Offer, Order, main
from dramatiq.brokers.redis import RedisBroker

SETTINGS = (
    "hiredis; default middleware, with retries; no results backend; jobs of a silent "
    "worker are taken over after 60 s"
)


class Dramatiq(Contestant):
    package = "dramatiq"
    offers = (
        Offer(
            store="redis",
            works=frozenset({"one", "drain", "two", "latency"}),
            share=0.2,
            settings=f"8 threads, its default; {SETTINGS}",
        ),
        Offer(
            store="redis",
            variant="threads",
            works=frozenset({"drain", "nap"}),
            share=0.2,
            settings=f"as many threads as the concurrency; {SETTINGS}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        logging.getLogger("dramatiq").setLevel(logging.WARNING)
        self._broker = RedisBroker(url=f"{order.url}?max_connections=1000")

        def work(number: int) -> None:
            journal.note(number)
            if order.nap:
                time.sleep(order.nap)

        self._work = dramatiq.actor(broker=self._broker, actor_name="work")(work)

    async def submit(self, number: int) -> None:
        self._work.send(number)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        threads = self.order.concurrency if self.order.variant else 8
        worker = dramatiq.Worker(self._broker, worker_threads=threads)
        worker.start()
        try:
            yield
        finally:
            worker.stop()

    async def left(self) -> int:
        return int(self._broker.do_qsize(self._work.queue_name))


if __name__ == "__main__":
    main(Dramatiq)
