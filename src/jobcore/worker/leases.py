"""Keeping leases: renewing what a worker holds, and noticing what it lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Set
from contextlib import suppress
from datetime import timedelta
from math import inf
from typing import Final

from jobcore.abilities import WorkerRecord
from jobcore.claim import Claim
from jobcore.errors import StoreError
from jobcore.manager import JobManager
from jobcore.worker.run import Interruption

_logger = logging.getLogger("jobcore.worker")

_OFTEN: Final = 0.25
"""Seconds between two renewals at least, however many hints there are that some job is
to be canceled, and at most where there is one, however long leases last."""


class Leases:
    """The claims of one worker, all renewed in one call at a third of the lease.

    A claim that was not confirmed for the lease less a margin, on the monotonic clock
    and counted from before the call was sent, is treated as lost: by then another
    worker may have it.
    """

    def __init__(
        self,
        jobs: JobManager,
        record: Callable[[], WorkerRecord],
        interrupt: Callable[[Claim, Interruption], None],
    ) -> None:
        self._jobs = jobs
        self._record = record
        self._interrupt = interrupt
        self._lease = jobs.config.job_claim_timeout.total_seconds()
        self._held: dict[str, Claim] = {}
        self._confirmed_at: dict[
            str, float
        ] = {}  # by token: claimed and renewed as one
        self._soon = asyncio.Event()
        self.renewed_at: float = -inf

    def __len__(self) -> int:
        return len(self._held)

    def add(self, claims: Iterable[Claim], asked_at: float) -> None:
        """Keep *claims*, whose lease began not before *asked_at*."""
        for claim in claims:
            self._held[claim.job_id] = claim
            self._confirmed_at[claim.token] = asked_at

    def drop(self, claims: Iterable[Claim]) -> None:
        """Keep *claims* no longer, as they have ended."""
        for claim in claims:
            held = self._held.get(claim.job_id)
            if held is not None and held.token == claim.token:
                del self._held[claim.job_id]

    def renew_soon(self) -> None:
        """Ask before it is time, as there may be a request to cancel."""
        if self._held:
            self._soon.set()

    async def run(self) -> None:
        """Renew and watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_renewing())
            group.create_task(self._keep_watch())

    async def _keep_renewing(self) -> None:
        while True:
            await self._renew()
            await asyncio.sleep(min(self._lease / 120, _OFTEN))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._lease / 3):
                    await self._soon.wait()
            self._soon.clear()

    async def _renew(self) -> None:
        sent_at = asyncio.get_running_loop().time()
        held = dict(self._held)
        try:
            async with asyncio.timeout(self._lease / 3):
                await self._jobs.seen(self._record())
                renewal = await self._jobs.renew(list(held.values()))
        except (StoreError, TimeoutError) as error:
            _logger.warning("leases of %d jobs not renewed: %r", len(held), error)
            return
        self.renewed_at = sent_at
        self._tell_margin(held.values())
        for job_id, claim in held.items():
            if job_id in renewal.lost:
                self._lose(claim)
            elif job_id in renewal.requested:
                self._interrupt(claim, Interruption.CANCEL)
        self._confirm({each.token for each in held.values()}, sent_at)

    def _tell_margin(self, renewed: Iterable[Claim]) -> None:
        oldest = min((self._confirmed_at[each.token] for each in renewed), default=None)
        if oldest is not None:
            left = oldest + self._lease - asyncio.get_running_loop().time()
            self._jobs.instrumentation.renewed(timedelta(seconds=left))

    async def _keep_watch(self) -> None:
        loop, pause = asyncio.get_running_loop(), self._lease / 30
        while True:
            began_at = loop.time()
            await asyncio.sleep(pause)
            self._notice_lag(loop.time() - began_at - pause)
            unconfirmed_since = loop.time() - self._lease * 5 / 6
            for each in list(self._held.values()):
                if self._confirmed_at[each.token] < unconfirmed_since:
                    self._lose(each)

    def _confirm(self, renewed: Set[str], sent_at: float) -> None:
        kept = {each.token for each in self._held.values()}
        self._confirmed_at = {
            token: sent_at if token in renewed else at
            for token, at in self._confirmed_at.items()
            if token in kept
        }

    def _lose(self, claim: Claim) -> None:
        held = self._held.get(claim.job_id)
        if held is not None and held.token == claim.token:
            del self._held[claim.job_id]
            self._interrupt(claim, Interruption.LOST)

    def _notice_lag(self, lag: float) -> None:
        if lag > self._lease / 6:
            _logger.warning(
                "the event loop was blocked for %.1f s, and leases are %.1f s: does a "
                "handler block instead of awaiting?",
                lag,
                self._lease,
            )
