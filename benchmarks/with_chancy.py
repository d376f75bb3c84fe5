# /// script
# requires-python = ">=3.11"
# dependencies = ["chancy==0.26.0", "psycopg[binary]==3.3.9"]
# ///
"""Chancy, with its executor for asyncio."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from chancy import Chancy, Job, Queue, Worker
from contestant import Contestant, Journal, Offer, Order, main

LEFT = "SELECT count(*) FROM chancy_jobs WHERE state NOT IN ('succeeded', 'failed')"
LOCK = "SELECT pg_advisory_lock(1)"
UNLOCK = "SELECT pg_advisory_unlock(1)"
OFTEN = 0.01
SETTINGS = (
    "psycopg, its pool of 10; eager_polling; default plugins; ended jobs are kept, "
    "without a result"
)


class ChancyContestant(Contestant):
    package = "chancy"
    offers = (
        Offer(
            store="postgresql",
            works=frozenset({"one", "tasks", "bulk", "drain", "two", "nap", "latency"}),
            settings=f"send_outgoing_interval={OFTEN}; {SETTINGS}",
        ),
        Offer(
            store="postgresql",
            variant="defaults",
            works=frozenset({"drain", "two"}),
            settings=f"outcomes are written once a second; {SETTINGS}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        enter = self._exits.enter_async_context
        connect = psycopg.AsyncConnection.connect(self.order.url, autocommit=True)
        self._look = await enter(await connect)
        log = logging.getLogger("chancy")
        log.setLevel(logging.WARNING)
        self._chancy = await enter(Chancy(self.order.url, log=log))
        await self._look.execute(LOCK)  # two may start at once
        await self._chancy.migrate()
        queue = Queue(
            "default",
            concurrency=self.order.concurrency,
            executor=Chancy.Executor.Async,
            eager_polling=True,
        )
        await self._chancy.declare(queue)
        await self._look.execute(UNLOCK)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def submit(self, number: int) -> None:
        await self._chancy.push(_job(number))

    async def submit_many(self, numbers: Sequence[int]) -> None:
        async for _ in self._chancy.push_many(list(map(_job, numbers))):
            pass

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        global _contestant  # noqa: PLW0603 - a job is found by the name of a function
        _contestant = self
        worker = Worker(self._chancy, register_signal_handlers=False)
        if not self.order.variant:
            worker.send_outgoing_interval = OFTEN
        async with worker:
            yield

    async def left(self) -> int:
        row = await (await self._look.execute(LEFT)).fetchone()
        return int(row[0]) if row else 0


_contestant: ChancyContestant | None = None


def _job(number: int) -> Any:
    return Job(func="__main__.work", kwargs={"number": number})


async def work(number: int) -> None:
    assert _contestant is not None
    _contestant.journal.note(number)
    if _contestant.order.nap:
        await asyncio.sleep(_contestant.order.nap)


if __name__ == "__main__":
    main(ChancyContestant)
