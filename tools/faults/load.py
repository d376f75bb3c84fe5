"""The load: jobs are submitted such that workers never run out of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random

from jobcore import UNFINISHED, JobManager, JobRequest, StoreUnavailableError

BATCH = 20
BACKLOG = 200
LONGEST = 0.3
"""Seconds that a handler takes at most."""


class Load:
    """What is submitted to one queue."""

    def __init__(self, jobs: JobManager, queue: str, random: Random) -> None:
        self.submitted: set[str] = set()
        """The jobs whose submit returned."""
        self._jobs = jobs
        self._queue = queue
        self._random = random
        self._stopped = False

    async def run(self) -> None:
        """Submit until stopped, as often as the store can be reached."""
        while not self._stopped:
            with suppress(StoreUnavailableError):
                if await self.unfinished() < BACKLOG:
                    await self._submit()
            await asyncio.sleep(0.02)

    def stop(self) -> None:
        self._stopped = True

    async def drained(self, patience: float) -> float:
        """Wait until no job is unfinished, and say for how many seconds that took;
        TimeoutError if it takes longer than *patience*."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        async with asyncio.timeout(patience):
            while await self.unfinished():  # noqa: ASYNC110 - others end them
                await asyncio.sleep(0.05)
        return loop.time() - began_at

    async def unfinished(self) -> int:
        statistics = await self._jobs.statistics()
        return sum(statistics.count(each, self._queue) for each in UNFINISHED)

    async def _submit(self) -> None:
        """A batch, and a job on its own."""
        requests = [self._request() for _ in range(BATCH)]
        batch, alone = await asyncio.gather(
            self._jobs.submit_many(requests, queue=self._queue),
            self._jobs.submit(self._request(), queue=self._queue),
        )
        self.submitted.update(each.id for each in (*batch, alone))

    def _request(self) -> JobRequest:
        task = self._random.choice(["sleep", "sleep_in_thread"])
        return JobRequest(task, {"seconds": self._random.uniform(0, LONGEST)})
