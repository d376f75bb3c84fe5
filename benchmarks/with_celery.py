# /// script
# requires-python = ">=3.11"
# dependencies = ["celery[redis]>=5.7", "redis[hiredis]"]
# ///
"""Celery, with Redis as its broker and its worker in a thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from celery import Celery
from celery.worker import WorkController
from contestant import Contestant, Journal, Offer, Order, main
from redis import Redis

SETTINGS = (
    "hiredis; no results; no remote control, gossip, mingle or heartbeat; a job is "
    "acknowledged as it starts, so that a worker that dies loses it"
)


class CeleryContestant(Contestant):
    package = "celery"
    offers = (
        Offer(
            store="redis",
            variant="threads",
            works=frozenset({"one", "drain", "two", "nap", "latency"}),
            share=0.2,
            settings=f"as many threads as the concurrency; {SETTINGS}",
        ),
        Offer(
            store="redis",
            variant="solo",
            works=frozenset({"drain", "two"}),
            share=0.2,
            settings=f"the solo pool, one job at a time; {SETTINGS}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._app: Any = Celery("benchmark", broker=order.url)
        self._app.conf.update(
            task_ignore_result=True, worker_enable_remote_control=False
        )
        self._look: Any = Redis.from_url(order.url)

        def work(number: int) -> None:
            journal.note(number)
            if order.nap:
                time.sleep(order.nap)

        self._work = self._app.task(name="work")(work)

    async def submit(self, number: int) -> None:
        self._work.delay(number)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        logging.getLogger("celery").setLevel(logging.ERROR)
        worker = WorkController(
            app=self._app,
            pool=self.order.variant,
            concurrency=self.order.concurrency,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        running = threading.Thread(target=worker.start)
        running.start()
        try:
            yield
        finally:
            worker.stop()
            running.join()

    async def left(self) -> int:
        return int(self._look.llen("celery") + self._look.hlen("unacked"))


if __name__ == "__main__":
    main(CeleryContestant)
