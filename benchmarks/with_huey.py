# /// script
# requires-python = ">=3.11"
# dependencies = ["huey==3.5.4"]
# ///
"""huey with SqliteHuey, as fast as it goes: nothing is flushed, no result is kept."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contestant import Contestant, Journal, Offer, Order, main
from huey import SqliteHuey

SETTINGS = (
    "WAL, synchronous=OFF, results=False, initial_delay=0.01, max_delay=0.1; a claim "
    "deletes the job and nothing is acknowledged"
)
MANY = "as many threads as the concurrency"


class Huey(Contestant):
    package = "huey"
    offers = (
        Offer(
            store="sqlite",
            variant="1 thread",
            works=frozenset({"one", "drain", "two", "latency"}),
            settings=f"{SETTINGS}; one thread, which is fastest where no job waits",
        ),
        Offer(
            store="sqlite",
            variant="threads",
            works=frozenset({"drain", "two", "nap"}),
            settings=f"{SETTINGS}; {MANY}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        file = order.url.removeprefix("sqlite:///")
        self._huey = SqliteHuey(filename=file, fsync=False, results=False)

        def work(number: int) -> None:
            journal.note(number)
            if order.nap:
                time.sleep(order.nap)

        self._work = self._huey.task()(work)

    async def submit(self, number: int) -> None:
        self._work(number)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        many = self.order.variant == "threads"
        consumer = self._huey.create_consumer(
            workers=self.order.concurrency if many else 1,
            periodic=False,
            initial_delay=0.01,
            max_delay=0.1,
        )
        consumer.start()
        try:
            yield
        finally:
            consumer.stop(graceful=True)

    async def left(self) -> int:
        left: int = self._huey.pending_count()
        return left


if __name__ == "__main__":
    main(Huey)
