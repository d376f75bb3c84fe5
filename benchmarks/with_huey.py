# /// script
# requires-python = ">=3.11"
# dependencies = ["huey==3.5.4", "redis[hiredis]>=8"]
# ///
"""huey with SqliteHuey or RedisHuey, as fast as it goes: no result is kept, and SQLite
flushes nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from contestant import Contestant, Journal, Offer, Order, main
from huey import RedisHuey, SqliteHuey

LOSES = "a claim deletes the job and nothing is acknowledged"
SQLITE = (
    "WAL, synchronous=OFF, results=False, initial_delay=0.01, max_delay=0.1; " + LOSES
)
REDIS = f"hiredis, results=False; {LOSES}"
ONE = "one thread, which is fastest where no job waits"
MANY = "as many threads as the concurrency"
MORE = "max_connections=1000"


class Huey(Contestant):
    package = "huey"
    offers = (
        Offer(
            store="sqlite",
            variant="1 thread",
            works=frozenset({"one", "drain", "two", "latency"}),
            settings=f"{SQLITE}; {ONE}",
        ),
        Offer(
            store="sqlite",
            variant="threads",
            works=frozenset({"drain", "two", "nap"}),
            settings=f"{SQLITE}; {MANY}",
        ),
        Offer(
            store="redis",
            variant="1 thread",
            works=frozenset({"one", "drain", "two", "latency"}),
            settings=f"{REDIS}; {ONE}",
        ),
        Offer(
            store="redis",
            variant="threads",
            works=frozenset({"drain", "two", "nap"}),
            settings=f"{REDIS}; {MANY}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        if order.store == "redis":
            self._huey: Any = RedisHuey(url=f"{order.url}?{MORE}", results=False)
        else:
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
