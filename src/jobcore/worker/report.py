"""Reporting how attempts ended, until the store has it or the claim is lost."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.errors import (
    ClaimLostError,
    JobConflictError,
    StoreError,
    StoreUnavailableError,
)
from jobcore.job import JobStatus
from jobcore.manager import JobManager
from jobcore.retry import RetryStrategy
from jobcore.worker.run import Ended

_logger = logging.getLogger("jobcore.worker")


class Reporter:
    """Tells the manager how attempts ended."""

    def __init__(self, jobs: JobManager) -> None:
        self._jobs = jobs
        self._pause = jobs.config.job_polling_interval.total_seconds()

    async def report(
        self,
        claim: Claim,
        ended: Ended,
        *,
        retry: RetryStrategy | None = None,
        delay: timedelta | None = None,
    ) -> None:
        """Report until it is stored. A claim that was lost meanwhile is logged, as
        somebody else decides about its job now."""
        job = claim.job
        while ended.outcome is not Outcome.LOST:
            try:
                status = await self._send(claim, ended, retry, delay)
            except ClaimLostError:
                _logger.warning("job %s was %s too late", job.id, ended.outcome)
                return
            except (StoreUnavailableError, JobConflictError) as error:
                _logger.warning("job %s not reported yet: %s", job.id, error)
                pause = self._jobs.config.job_polling_interval
                await asyncio.sleep(pause.total_seconds())
            except StoreError:
                _logger.exception("job %s cannot be reported", job.id)
                return
            else:
                self._log(claim, ended, status)
                return

    async def _send(
        self,
        claim: Claim,
        ended: Ended,
        retry: RetryStrategy | None,
        delay: timedelta | None,
    ) -> JobStatus:
        match ended.outcome:
            case Outcome.SUCCEEDED:
                return await self._jobs.complete(claim, ended.value, ended.result_type)
            case Outcome.CANCELED:
                return await self._jobs.acknowledge(claim)
            case Outcome.RELEASED:
                return await self._jobs.release(claim, delay)
            case outcome:
                error = ended.error or RuntimeError(outcome.value)
                return await self._jobs.fail(claim, error, outcome=outcome, retry=retry)

    def _log(self, claim: Claim, ended: Ended, status: JobStatus) -> None:
        job = claim.job
        if ended.error is None:
            _logger.debug("job %s (%s) %s", job.id, job.task, ended.outcome)
            return
        _logger.warning(
            "job %s (%s) %s in attempt %d and is %s now: %s",
            job.id,
            job.task,
            ended.outcome,
            job.attempt,
            status,
            type(ended.error).__qualname__,
        )
