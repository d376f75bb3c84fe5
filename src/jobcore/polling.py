"""Polling: workers of a manager that wait for the same queues ask for them in turns,
and duties look again when there is news."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from jobcore.claim import ClaimRequest, ClaimResult
from jobcore.store import JobStore

_EARLY: Final = 0.001
"""Seconds by which a timer may go off before its time."""


class Polling:
    """When the workers of one manager look for work that no hint told of.

    A claim that left nothing in its queues tells all who wait for these. However many
    do, they ask once per interval between them.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._empty_at: dict[frozenset[str], float] = {}

    def learn(
        self, request: ClaimRequest, result: ClaimResult, asked_at: float
    ) -> None:
        """Keep in mind when queues were empty, if *result* tells."""
        if len(result.claims) < request.limit and not result.bounded:
            self._empty_at[frozenset(request.queues)] = asked_at

    async def wait(
        self,
        worker: str,
        queues: Sequence[str],
        timeout: timedelta,  # noqa: ASYNC109 - it returns in time, it never raises
    ) -> bool:
        """Whether a hint came before *queues* had not been asked for for *timeout*."""
        loop, names = asyncio.get_running_loop(), frozenset(queues)
        pause = timeout.total_seconds()
        until = loop.time() + pause
        while (left := until - loop.time()) > _EARLY:
            await self._store.wait(queues, worker, timedelta(seconds=left))
            if until - loop.time() > _EARLY:
                return True
            if names in self._empty_at:
                until = max(until, self._empty_at[names] + pause)
        return False


async def heard(event: asyncio.Event, timeout: timedelta) -> None:  # noqa: ASYNC109 - it returns in time, it never raises
    """Return when *event* is set, at the latest after *timeout*; it is unset then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout.total_seconds()):
            await event.wait()
    event.clear()
