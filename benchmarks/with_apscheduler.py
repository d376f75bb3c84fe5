# /// script
# requires-python = ">=3.11"
# dependencies = ["apscheduler[sqlalchemy]==4.0.0a6", "aiosqlite==0.22.1", "sniffio"]
# ///
"""APScheduler 4, with a data store in memory or in SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self

from apscheduler import AsyncScheduler, TaskDefaults
from apscheduler.datastores.memory import MemoryDataStore
from apscheduler.datastores.sqlalchemy import SQLAlchemyDataStore
from contestant import Contestant, Journal, Offer, Order, main

SETTINGS = "no results are kept (default): an ended job is deleted"
AT_ONCE = "max_concurrent_jobs and max_running_jobs as the concurrency"

_journal: Journal
_nap = 0.0


async def work(number: int) -> None:
    """A job is found by the name of its function, so it is one of the module."""
    _journal.note(number)
    if _nap:
        await asyncio.sleep(_nap)


class APScheduler(Contestant):
    package = "apscheduler"
    offers = (
        Offer(
            store="memory",
            works=frozenset({"one", "tasks", "drain", "nap"}),
            settings=f"{AT_ONCE}; {SETTINGS}",
        ),
        Offer(
            store="memory",
            variant="defaults",
            works=frozenset({"drain"}),
            settings=f"max_running_jobs=1: one job of a task at a time; {SETTINGS}",
            share=0.1,
        ),
        Offer(
            store="sqlite",
            works=frozenset({"one", "tasks", "drain", "nap"}),
            settings=f"SQLAlchemy and aiosqlite; {AT_ONCE}; {SETTINGS}",
            share=0.05,
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        global _journal, _nap
        super().__init__(order, journal)
        _journal, _nap = journal, order.nap
        data_store: Any = MemoryDataStore()
        if order.store == "sqlite":
            url = order.url.replace("sqlite:", "sqlite+aiosqlite:")
            data_store = SQLAlchemyDataStore(url)
        most = 1 if order.variant == "defaults" else order.concurrency
        self._scheduler = AsyncScheduler(
            data_store,
            max_concurrent_jobs=order.concurrency,
            task_defaults=TaskDefaults(max_running_jobs=most),
        )
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._exits.enter_async_context(self._scheduler)
        await self._scheduler.configure_task(work, job_executor="async")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def submit(self, number: int) -> None:
        await self._scheduler.add_job(work, args=[number])

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        await self._scheduler.start_in_background()
        try:
            yield
        finally:
            await self._scheduler.stop()

    async def left(self) -> int:
        return len(await self._scheduler.data_store.get_jobs())


if __name__ == "__main__":
    main(APScheduler)
