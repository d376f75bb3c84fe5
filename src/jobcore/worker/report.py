"""Reporting how attempts ended, until the store has it or the claim is lost."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Final

from jobcore.claim import Claim
from jobcore.ending import BATCH
from jobcore.errors import ClaimLostError, JobConflictError, StoreUnavailableError
from jobcore.events import about
from jobcore.job import JobStatus
from jobcore.manager import JobManager
from jobcore.report import Report

_logger = logging.getLogger("jobcore.worker")

_NOT_YET: Final = "job %s not reported yet: %s"
_MOMENT: Final = 0.05
"""Seconds until a job is reported again that was locked."""


class Reporter:
    """Tells the manager how attempts ended: what is handed in during one call is the
    batch of the next. What the store cannot take now is told again after a pause."""

    def __init__(
        self, jobs: JobManager, settled: Callable[[Sequence[Claim]], None]
    ) -> None:
        self._jobs = jobs
        self._settled = settled
        self._pause = jobs.config.job_polling_interval.total_seconds()
        self._unsent: deque[Report] = deque()
        self._unsettled = 0
        self._flight: asyncio.Task[None] | None = None
        self._context = copy_context()

    def __len__(self) -> int:
        """How many reports are neither stored nor refused for good."""
        return self._unsettled

    def add(self, report: Report) -> None:
        """See to it that *report* is told; then its claim is called settled, with the
        others of its batch."""
        self._unsettled += 1
        self._send(report)

    def _send(self, report: Report) -> None:
        self._unsent.append(report)
        if self._flight is None:
            self._take_off()

    def _send_later(self, report: Report, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._send, report)

    def _take_off(self) -> None:
        self._flight = asyncio.create_task(
            self._send_all(), name="jobcore-report", context=self._context.copy()
        )
        self._flight.add_done_callback(self._landed)

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._flight = None
        if self._unsent:
            self._take_off()

    async def _send_all(self) -> None:
        while self._unsent:
            size = min(len(self._unsent), BATCH)
            await self._tell([self._unsent.popleft() for _ in range(size)])

    async def _tell(self, reports: Sequence[Report]) -> None:
        try:
            answers = await self._jobs.report(reports)
        except asyncio.CancelledError:  # as by `asyncio.run`, which cancels all tasks
            self._unsent.extendleft(reversed(reports))
            raise
        except Exception as error:  # noqa: BLE001 - it is logged as each one's answer
            answers = [error] * len(reports)
        settled = [
            report.claim
            for report, answer in zip(reports, answers, strict=True)
            if self._settles(report, answer)
        ]
        self._unsettled -= len(settled)
        self._settled(settled)

    def _settles(self, report: Report, answer: JobStatus | Exception) -> bool:
        job = report.claim.job
        match answer:
            case JobStatus():
                return True
            case ClaimLostError():
                _logger.warning(
                    "job %s was %s too late", job.id, report.outcome, extra=about(job)
                )
            case JobConflictError():  # another transaction has it, mostly for a moment
                _logger.debug(_NOT_YET, job.id, answer, extra=about(job))
                self._send_later(report, min(_MOMENT, self._pause))
                return False
            case StoreUnavailableError():
                _logger.warning(_NOT_YET, job.id, answer, extra=about(job))
                self._send_later(report, self._pause)
                return False
            case error:
                _logger.error(
                    "job %s cannot be reported",
                    job.id,
                    exc_info=error,
                    extra=about(job),
                )
        return True
