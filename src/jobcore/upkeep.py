"""The periodic duties: promote, fire, release stale claims, lift, prune, age.

Every worker does upkeep unless it is told not to; of those that share a manager one
does it, and another goes on when that stops. Due jobs are promoted, and schedules
fired, by every manager; the other duties are shared out by the worker directory, by
turns and without a leader. No failure of the store ends a duty.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Final
from weakref import WeakKeyDictionary

from jobcore.errors import StoreError
from jobcore.manager import JobManager
from jobcore.retry import SYSTEM_RANDOM

_SHORTEST: Final = timedelta(milliseconds=10)
"""What lies between two promotions at least, however many jobs are scheduled."""

_logger = logging.getLogger("jobcore.upkeep")

_Turns = WeakKeyDictionary[JobManager, asyncio.Lock]
_turns: Final = WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns]()
"""Who has the lock does the upkeep of a manager."""


class Upkeep:
    """Runs the duties of one manager until it is cancelled."""

    def __init__(self, jobs: JobManager, random: Random = SYSTEM_RANDOM) -> None:
        self._jobs = jobs
        self._random = random

    async def run(self) -> None:
        stale = self._jobs.config.stale_job_claim_check_interval
        prune = self._jobs.config.prune_interval
        of_loop = _turns.setdefault(asyncio.get_running_loop(), _Turns())
        turn = of_loop.setdefault(self._jobs, asyncio.Lock())
        async with turn, asyncio.TaskGroup() as duties:
            duties.create_task(self._promote())
            duties.create_task(self._fire())
            duties.create_task(self._repeat("release_stale", self._release_all, stale))
            duties.create_task(self._repeat("lift", self._jobs.lift_held_jobs, stale))
            duties.create_task(self._repeat("prune", self._jobs.prune, prune))
            if (ageing := self._jobs.config.priority_ageing) is not None:
                duties.create_task(self._repeat("age", self._jobs.age, ageing))

    async def _promote(self) -> None:
        longest = self._jobs.config.job_polling_interval
        while True:
            pause = longest
            try:
                promotion = await self._jobs.promote_due_jobs()
                if promotion.next_due_in is not None:
                    pause = min(promotion.next_due_in, longest)
            except StoreError as error:
                _logger.warning("promote: %s", error)
            await asyncio.sleep(min(_SHORTEST, pause).total_seconds())
            await self._jobs.wait_for_scheduled(pause)

    async def _fire(self) -> None:
        longest = self._jobs.config.schedule_check_interval
        while True:
            pause = longest
            try:
                fired = await self._jobs.fire_due_schedules()
                if fired.jobs:
                    _logger.info("fire: %d jobs", fired.jobs)
                if fired.next_due_in is not None:
                    pause = min(fired.next_due_in, longest)
            except StoreError as error:
                _logger.warning("fire: %s", error)
            await asyncio.sleep(min(_SHORTEST, pause).total_seconds())
            await self._jobs.wait_for_schedules(pause)

    async def _repeat(
        self, duty: str, act: Callable[[], Awaitable[int]], interval: timedelta
    ) -> None:
        while True:
            spread = self._random.uniform(0.5, 1.0)
            await asyncio.sleep(interval.total_seconds() * spread)
            try:
                if await self._jobs.turn(duty, interval / 2) and (count := await act()):
                    _logger.info("%s: %d jobs", duty, count)
            except StoreError as error:
                _logger.warning("%s: %s", duty, error)

    async def _release_all(self) -> int:
        total = released = await self._jobs.release_stale_claims()
        while released:
            released = await self._jobs.release_stale_claims()
            total += released
        return total
