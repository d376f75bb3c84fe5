"""What follows from a report: the write that ends its claim."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from random import Random

from jobcore import lifecycle
from jobcore.attempt import Outcome
from jobcore.checks import check_delay
from jobcore.claim import Claim
from jobcore.config import JobcoreConfig
from jobcore.events import about
from jobcore.failure import describe, describe_loss
from jobcore.identity import new_token
from jobcore.payload import encode_result
from jobcore.report import Report
from jobcore.retry import RetryStrategy, exponential
from jobcore.transition import Changes, Transition

_logger = logging.getLogger("jobcore.manager")


class Reporting:
    """Turns reports into transitions, by the configuration and the *retry* strategy of
    tasks that have none of their own."""

    def __init__(
        self, config: JobcoreConfig, retry: RetryStrategy | None, random: Random
    ) -> None:
        base, cap = config.retry_delay_base, config.retry_delay_cap
        self._backoff = exponential(base, cap=cap, random=random)
        self._max_result_size = config.max_result_size
        self._max_lost = config.max_lost
        self._retry = retry or self._backoff
        self._random = random

    def transition(self, report: Report) -> Transition:
        """The write that *report* asks for."""
        made = self._transition(report)
        if report.details is None:
            return made
        changes = Changes(**{**made.changes, "extra": report.details.written()})
        return replace(made, changes=changes)

    def _transition(self, report: Report) -> Transition:
        claim, delay = report.claim, report.delay
        match report.outcome:
            case Outcome.SUCCEEDED:
                text, odd = encode_result(
                    report.value, report.result_type, self._max_result_size
                )
                return lifecycle.complete(claim, text, odd)
            case Outcome.RELEASED if delay is None:
                return lifecycle.release(claim)
            case Outcome.RELEASED:
                return lifecycle.snooze(claim, check_delay("delay", delay))
            case Outcome.CANCELED if report.reason == lifecycle.EXPIRED:
                return lifecycle.expire(claim)
            case Outcome.CANCELED:
                return lifecycle.stop(claim)
            case outcome:
                error = report.error or RuntimeError(outcome.value)
                retry_after = self._retry_after(report, error)
                return lifecycle.fail(
                    claim, describe(error), outcome, retry_after, report.reason
                )

    def loss(self, claim: Claim) -> Transition:
        """The write that follows when the lease of *claim* ran out."""
        counted = claim.job.changed({"failures": claim.job.losses})
        delay = self._backoff.retry_after(counted, TimeoutError())
        token = new_token(self._random)
        return lifecycle.lose(claim, token, describe_loss(), delay, self._max_lost)

    def _retry_after(self, report: Report, error: BaseException) -> timedelta | None:
        job, strategy = report.claim.job, report.retry or self._retry
        try:
            delay = strategy.retry_after(job, error)
            return None if delay is None else check_delay("retry_after", delay)
        except Exception:  # a broken strategy must not keep a job from ending
            _logger.exception(
                "retry strategy failed for job %s", job.id, extra=about(job)
            )
            return self._backoff.retry_after(job, RuntimeError())
