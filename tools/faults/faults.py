"""The faults: each says what happens to a worker that holds claims.

A new one is a class with the same three members, and a line in `FAULTS`.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from jobcore import JobcoreConfig, JobManager
from tools.faults.fleet import Fleet, Member

SLACK = timedelta(seconds=1)
"""What recovery may take besides lease and sweep, for the work itself."""

Held = dict[tuple[str, int], datetime]
"""The claims of a worker, by job and attempt, and when their leases end."""


def bound(config: JobcoreConfig) -> timedelta:
    """How long after its last renewal the claim of a dead worker may last."""
    return config.job_claim_timeout + config.stale_job_claim_check_interval + SLACK


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault happens. *held* looks into the store for what a worker holds."""

    jobs: JobManager
    fleet: Fleet
    held: Callable[[Member], Awaitable[Held]]


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


async def _is_writable(jobs: JobManager) -> bool:
    """Whether the victim does not hold the lock of an SQLite file, as then nobody could
    do anything until it goes on."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await jobs.turn("faults", timedelta(milliseconds=1))
            return True
    return False
