"""jobcore, with its default settings but for the concurrency."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

from contestant import SUBMITS, Contestant, Journal, Offer, Order, main

from jobcore import UNFINISHED, JobStatus, Tasks, Worker, open_manager

SETTINGS = (
    "defaults but for the concurrency: leases of 30 s, fenced and renewed; retries; "
    "attempts and results kept; upkeep runs"
)
ALONE = SUBMITS | {"drain", "nap"}


class Jobcore(Contestant):
    package = "jobcore-core"
    offers = (
        Offer(store="memory", works=ALONE, settings=SETTINGS),
        Offer(
            store="sqlite",
            works=ALONE | {"two", "latency"},
            settings=f"WAL, synchronous=NORMAL; {SETTINGS}",
        ),
        Offer(
            store="postgresql",
            works=ALONE | {"two", "latency"},
            settings=f"asyncpg; {SETTINGS}",
        ),
        Offer(
            store="redis",
            works=ALONE | {"two", "latency"},
            settings=f"hiredis; one partition, as by default; {SETTINGS}",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._tasks = Tasks()
        self._exits = AsyncExitStack()

        @self._tasks.task()
        async def work(number: int) -> int:
            journal.note(number)
            if order.nap:
                await asyncio.sleep(order.nap)
            return number

        self._work = work

    async def __aenter__(self) -> Self:
        self._jobs = await self._exits.enter_async_context(open_manager(self.order.url))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def submit(self, number: int) -> None:
        await self._jobs.submit(self._work.job(number))

    async def submit_many(self, numbers: Sequence[int]) -> None:
        await self._jobs.submit_many(self._work.job(number) for number in numbers)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        async with Worker(self._jobs, self._tasks, concurrency=self.order.concurrency):
            yield

    async def left(self) -> int:
        statistics = await self._jobs.statistics()
        return sum(statistics.count(status) for status in UNFINISHED)

    async def complaints(self) -> Sequence[str]:
        wrong = Counter[str]()
        found, cursor, more = 0, None, True
        while more:
            page = await self._jobs.find(cursor=cursor, limit=1000)
            for job in page.jobs:
                wrong[f"is {job.status}"] += job.status is not JobStatus.COMPLETED
                wrong[f"has attempt {job.attempt}"] += job.attempt != 1
                wrong["has a wrong result"] += job.value != job.arguments["number"]
            found, cursor = found + len(page.jobs), page.cursor
            more = cursor is not None
        wrong["is missing"] = max(self.order.jobs - found, 0)
        return [f"{count} x {what}" for what, count in wrong.items() if count]


if __name__ == "__main__":
    main(Jobcore)
