"""The load: jobs are submitted such that workers never run out of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from jobcore import (
    UNFINISHED,
    Job,
    JobManager,
    JobRequest,
    StoreError,
    StoreUnavailableError,
)

BATCH = 20
BACKLOG = 200
LONGEST = 0.3
"""Seconds that a handler takes at most."""


class Load:
    """What is submitted to one queue."""

    def __init__(self, jobs: JobManager, queue: str, random: Random) -> None:
        self.submitted: dict[str, float] = {}
        """The jobs whose submit returned, and when, in monotonic time."""
        self.refusals: list[str] = []
        """What those that were refused were told."""
        self._jobs = jobs
        self._queue = queue
        self._random = random
        self._stopped = False

    async def run(self) -> None:
        """Submit until stopped, as often as the store can be reached."""
        while not self._stopped:
            try:
                if await self.unfinished() < BACKLOG:
                    await asyncio.gather(self._submit(BATCH), self._submit_one())
            except StoreUnavailableError:
                pass
            except StoreError as error:
                self.refusals.append(str(error))
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

    async def _submit(self, number: int) -> None:
        requests = [self._request() for _ in range(number)]
        self._note(await self._jobs.submit_many(requests, queue=self._queue))

    async def _submit_one(self) -> None:
        self._note([await self._jobs.submit(self._request(), queue=self._queue)])

    def _note(self, jobs: Sequence[Job[Any]]) -> None:
        self.submitted.update((each.id, time.monotonic()) for each in jobs)

    def _request(self) -> JobRequest:
        task = self._random.choice(["sleep", "sleep_in_thread"])
        return JobRequest(task, {"seconds": self._random.uniform(0, LONGEST)})
