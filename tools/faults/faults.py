"""The faults of workers: each says what happens to one that holds claims.

A new one is a class with the same three members, and a line in `FAULTS`.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Final, Protocol

from jobcore import JobcoreConfig, JobManager
from tools.faults.course import Struck, Tell
from tools.faults.fleet import Member
from tools.faults.scene import Held, Scene

SETTINGS: Final[Mapping[str, str]] = {
    "job_claim_timeout": "2",
    "stale_job_claim_check_interval": "0.5",
    "job_polling_interval": "0.2",
    "retry_delay_base": "0.2",
    "retry_delay_cap": "2",
    "max_concurrent_jobs": "5",
    # A job that is hit again and again is not at fault.
    "max_lost": "1000",
}
"""Short leases, so that many faults fit into minutes."""
SLACK = timedelta(seconds=1)
"""What recovery may take besides lease and sweep, for the work itself."""
OCCASION = 120.0
"""Seconds to wait for an occasion to strike."""
LONGEST_PAUSE = 1.0
"""Seconds between two strikes at most."""


def bound(config: JobcoreConfig) -> timedelta:
    """How long after its last renewal the claim of a dead worker may last."""
    return config.job_claim_timeout + config.stale_job_claim_check_interval + SLACK


class Fault(Protocol):
    """What can happen to a worker."""

    title: str
    times: int

    async def strike(self, victim: Member, scene: Scene) -> Held:
        """Let it happen, and say which claims *victim* held at that moment: none, if it
        is not to count."""
        ...


class Kill:
    """The process dies at once; its claims are read when it is dead."""

    title = "`kill -9` of a worker"
    times = 200

    async def strike(self, victim: Member, scene: Scene) -> Held:
        await scene.fleet.kill(victim)
        return await scene.held(victim)


class Freeze:
    """The process stands still until its claims must have been given back, and then
    goes on as if nothing had been."""

    title = "`SIGSTOP` of a worker for longer than its lease"
    times = 20

    async def strike(self, victim: Member, scene: Scene) -> Held:
        victim.send(signal.SIGSTOP)
        try:
            if not await _is_writable(scene.jobs):
                return {}
            held = await scene.held(victim)
            await asyncio.sleep(bound(scene.jobs.config).total_seconds())
        finally:
            victim.send(signal.SIGCONT)
        return held


FAULTS: dict[str, Fault] = {"kill": Kill(), "freeze": Freeze()}


class OnWorkers:
    """A course on which *fault* strikes one worker after the other."""

    settings: Mapping[str, str] = SETTINGS

    def __init__(self, fault: Fault, random: Random) -> None:
        self._fault = fault
        self._random = random

    async def run(self, times: int, scene: Scene, tell: Tell) -> Struck:
        strikes: list[Held] = []
        while len(strikes) < times:
            await asyncio.sleep(self._random.uniform(0, LONGEST_PAUSE))
            async with asyncio.timeout(OCCASION):
                victim = await self._victim(scene)
                held = await self._fault.strike(victim, scene)
            if held:
                strikes.append(held)
            tell(f"{len(strikes)} of {times}: {victim.worker} held {len(held)} jobs")
        return Struck(held=strikes)

    async def _victim(self, scene: Scene) -> Member:
        """A worker with jobs in progress, and not the last one that works."""
        while True:
            ready = scene.fleet.ready()
            jobs = await scene.in_progress()
            busy = sorted({job.worker for job in jobs if job.worker} & ready.keys())
            if busy and len(ready) > 1:
                return ready[self._random.choice(busy)]
            await asyncio.sleep(0.02)


async def _is_writable(jobs: JobManager) -> bool:
    """Whether the victim does not hold the lock of an SQLite file, as then nobody could
    do anything until it goes on."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await jobs.turn("faults", timedelta(milliseconds=1))
            return True
    return False
