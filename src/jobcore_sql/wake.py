"""Waking those who wait for work: by word of mouth, and by a look at the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, select

from jobcore_sql.among import Among
from jobcore_sql.gate import paused
from jobcore_sql.records import IS_IN_PROGRESS, IS_QUEUED
from jobcore_sql.tables import jobs
from jobcore_sql.transaction import Transaction

PROBE: Final = timedelta(milliseconds=3)
"""How often the database is asked whether another process has written."""

_QUEUED = select(jobs.c.id).where(IS_QUEUED, Among(jobs.c.queue, "queues")).limit(1)
_REQUESTED = (
    select(jobs.c.id)
    .where(
        IS_IN_PROGRESS,
        jobs.c.cancel_requested_at.is_not(None),
        jobs.c.worker == bindparam("by"),
    )
    .limit(1)
)

Look = Callable[[Sequence[str], str], Awaitable[bool]]


class Bell:
    """Rung when this process made something claimable or wants a job canceled."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all who listen now."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def heard(self, timeout: timedelta) -> bool:  # noqa: ASYNC109 - no error
        """Whether it rang before *timeout*."""
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                return await self._rung.wait()
        except TimeoutError:
            return False


class Watch:
    """Who waits, and what each has seen of the database.

    A look that finds work is not repeated before something was committed again, so
    that a worker which cannot take what waits does not spin.
    """

    def __init__(self, version: Callable[[], int | None], look: Look) -> None:
        self.bell: Bell = Bell()
        self._version = version
        self._look = look
        self._seen: dict[str, int] = {}

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        """Return on news for *worker*, or after *timeout*."""
        now = asyncio.get_running_loop().time
        until = now() + timeout.total_seconds()
        while (left := timedelta(seconds=until - now())) > timedelta(0):
            if await self._news(queues, worker):
                return
            if await self.bell.heard(min(left, PROBE)):
                return

    async def _news(self, queues: Sequence[str], worker: str) -> bool:
        version = self._version()
        if version is not None:
            if version == self._seen.get(worker):
                return False
            self._seen[worker] = version
        return await self._look(queues, worker)

    def forget(self, worker: str) -> None:
        """*worker* is gone."""
        self._seen.pop(worker, None)


def look(transaction: Transaction, queues: Sequence[str], worker: str) -> bool:
    """Whether there is news for *worker*."""
    running = sorted(set(queues) - paused(transaction).queues)
    queued = transaction.first(_QUEUED, queues=running) is not None
    return queued or transaction.first(_REQUESTED, by=worker) is not None
