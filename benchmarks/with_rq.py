# /// script
# requires-python = ">=3.11"
# dependencies = ["rq>=3.0", "redis[hiredis]>=8"]
# ///
"""RQ, with its worker that does not fork."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from contestant import Contestant, Journal, Offer, Order, main
from redis import Redis
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.timeouts import TimerDeathPenalty

WORK = "__main__.work"
SOON = 16
"""Seconds, of which it takes 15 less until an idle worker sees that it is to stop."""
SETTINGS = (
    "hiredis; SimpleWorker in a thread: one job at a time, no fork; job_timeout=-1 (no "
    "limit); a job whose worker died is found later, and fails"
)

_journal: Journal


def work(number: int) -> None:
    """A job is found by the name of its function, so it is one of the module."""
    _journal.note(number)


class RQ(Contestant):
    package = "rq"
    offers = (
        Offer(
            store="redis",
            works=frozenset({"one", "bulk", "drain", "two", "latency"}),
            share=0.1,
            settings=f"result_ttl=0: an ended job is deleted; {SETTINGS}",
        ),
        Offer(
            store="redis",
            variant="defaults",
            works=frozenset({"drain"}),
            share=0.1,
            settings=f"results are kept for 500 s; {SETTINGS}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        global _journal  # noqa: PLW0603 - a job is found by the name of a function
        super().__init__(order, journal)
        _journal = journal
        self._redis: Any = Redis.from_url(order.url)
        self._queue = Queue(connection=self._redis)
        self._options: dict[str, Any] = {} if order.variant else {"result_ttl": 0}

    async def submit(self, number: int) -> None:
        self._queue.enqueue_call(WORK, (number,), timeout=-1, **self._options)

    async def submit_many(self, numbers: Sequence[int]) -> None:
        self._queue.enqueue_many(
            Queue.prepare_data(WORK, (number,), timeout=-1, **self._options)
            for number in numbers
        )

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        worker = _Worker([self._queue], connection=self._redis, worker_ttl=SOON)
        running = asyncio.create_task(
            asyncio.to_thread(worker.work, logging_level="WARNING")
        )
        try:
            yield
        finally:
            worker.is_to_stop = True
            await running

    async def left(self) -> int:
        return int(self._queue.count + self._queue.started_job_registry.count)


class _Worker(SimpleWorker):  # type: ignore[misc]
    """One for a thread, which cannot be sent signals."""

    death_penalty_class = TimerDeathPenalty
    is_to_stop = False

    def heartbeat(self, *given: Any, **named: Any) -> None:
        """It is called around each wait for a job, which a signal would end."""
        if self.is_to_stop:
            raise StopRequested
        super().heartbeat(*given, **named)

    def _install_signal_handlers(self) -> None:
        pass


if __name__ == "__main__":
    main(RQ)
