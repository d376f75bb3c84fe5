# /// script
# requires-python = ">=3.11"
# dependencies = ["procrastinate==3.10.0", "psycopg[binary]==3.3.9"]
# ///
"""procrastinate, with its asynchronous connector."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

import psycopg
from contestant import Contestant, Journal, Offer, Order, main
from procrastinate import App, PsycopgConnector

LOCK = "SELECT pg_advisory_lock(1)"
UNLOCK = "SELECT pg_advisory_unlock(1)"
THERE = "SELECT to_regclass('procrastinate_jobs') IS NOT NULL"
LEFT = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"


class ProcrastinateContestant(Contestant):
    package = "procrastinate"
    offers = (
        Offer(
            store="postgresql",
            works=frozenset({"one", "tasks", "bulk", "drain", "two", "nap", "latency"}),
            share=0.1,
            settings="psycopg, a pool of 10; woken by NOTIFY; ended jobs are kept with "
            "a row per event, and without a result (delete_jobs is no faster)",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        logging.getLogger("procrastinate").setLevel(logging.ERROR)
        self._exits = AsyncExitStack()
        pool = {"min_size": 10, "max_size": 10}
        self._app = App(connector=PsycopgConnector(conninfo=order.url, **pool))

        async def work(number: int) -> None:
            journal.note(number)
            if order.nap:
                await asyncio.sleep(order.nap)

        self._work = self._app.task(name="work")(work)

    async def __aenter__(self) -> Self:
        enter = self._exits.enter_async_context
        connect = psycopg.AsyncConnection.connect(self.order.url, autocommit=True)
        self._look = await enter(await connect)
        await enter(self._app.open_async())
        await self._look.execute(LOCK)  # two may start at once
        if not await self._value(THERE):
            await self._app.schema_manager.apply_schema_async()
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
        await self._work.defer_async(number=number)

    async def submit_many(self, numbers: Sequence[int]) -> None:
        await self._work.batch_defer_async(*({"number": each} for each in numbers))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        running = asyncio.create_task(
            self._app.run_worker_async(
                concurrency=self.order.concurrency,
                install_signal_handlers=False,
            )
        )
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def left(self) -> int:
        return await self._value(LEFT)

    async def _value(self, query: str) -> int:
        row = await (await self._look.execute(query)).fetchone()
        return int(row[0]) if row else 0


if __name__ == "__main__":
    main(ProcrastinateContestant)
