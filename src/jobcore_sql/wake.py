"""Waking those who wait for work: by word of mouth, and by a look at the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Set
from datetime import timedelta
from typing import Final, Protocol

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
    """Rung when something may have become claimable, or a job is to be canceled."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Event, Set[str]] = {}

    def ring(self, names: Set[str] | None = None) -> None:
        """Wake who listens for any of the queues *names* now; everybody for None."""
        for rung, wanted in self._waiting.items():
            if names is None or not names.isdisjoint(wanted):
                rung.set()

    async def heard(self, names: Set[str], timeout: timedelta) -> bool:  # noqa: ASYNC109 - no error
        """Whether it rang for any of *names* before *timeout*."""
        rung = asyncio.Event()
        self._waiting[rung] = names
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                return await rung.wait()
        except TimeoutError:
            return False
        finally:
            del self._waiting[rung]


class Waker(Protocol):
    """How a database wakes those who wait. All of it is hints."""

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        """Return on news for *worker*, or after *timeout*."""

    def wake(self, queues: Set[str] | None) -> None:
        """There may be news in *queues*; in any, and for any worker, for None."""

    def forget(self, worker: str) -> None:
        """*worker* is gone."""

    async def hears(self) -> bool:
        """Whether what is told comes through, where anything is told."""


class Ringer:
    """Wakes those of its own process; others find what is new by polling."""

    def __init__(self) -> None:
        self._bell = Bell()

    def open(self) -> None:
        """There is nothing to listen to."""

    async def close(self) -> None:
        """Nor anything to close."""

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,  # noqa: ARG002 - requests to cancel wake everybody
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        await self._bell.heard(frozenset(queues), timeout)

    def wake(self, queues: Set[str] | None) -> None:
        self._bell.ring(queues)

    def news(self, queues: Set[str]) -> Sequence[str]:  # noqa: ARG002 - nobody hears
        """Nothing is told by a transaction."""
        return ()

    def forget(self, worker: str) -> None:
        """Nothing is kept of a worker."""

    async def hears(self) -> bool:
        return True


class Watch:
    """Who waits, and what each has seen of the file.

    A look that finds work is not repeated before something was committed again, so
    that a worker which cannot take what waits does not spin.
    """

    def __init__(self, version: Callable[[], int | None], look: Look) -> None:
        self._bell = Bell()
        self._version = version
        self._look = look
        self._seen: dict[str, int] = {}

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        now = asyncio.get_running_loop().time
        until = now() + timeout.total_seconds()
        while (left := timedelta(seconds=until - now())) > timedelta(0):
            if await self._news(queues, worker):
                return
            if await self._bell.heard(frozenset(queues), min(left, PROBE)):
                return

    def wake(self, queues: Set[str] | None) -> None:
        self._bell.ring(queues)

    async def hears(self) -> bool:
        return True

    async def _news(self, queues: Sequence[str], worker: str) -> bool:
        version = self._version()
        if version is not None:
            if version == self._seen.get(worker):
                return False
            self._seen[worker] = version
        return await self._look(queues, worker)

    def forget(self, worker: str) -> None:
        self._seen.pop(worker, None)


def look(transaction: Transaction, queues: Sequence[str], worker: str) -> bool:
    """Whether there is news for *worker*."""
    running = sorted(set(queues) - paused(transaction).queues)
    queued = transaction.first(_QUEUED, queues=running) is not None
    return queued or transaction.first(_REQUESTED, by=worker) is not None
