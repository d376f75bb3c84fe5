"""Reports: what the holder of a claim tells of how its attempt ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.details import Details
from jobcore.retry import RetryStrategy
from jobcore.value import value


@value
class Report:
    """The end of the attempt of *claim*, as *outcome*.

    What succeeded has a *value*, and perhaps the type that tells how it is stored. What
    failed or timed out has an *error*, and perhaps a strategy of its own to *retry*
    it. What is released may ask for a *delay*. A *reason* tells which limit of time was
    met, and *details* are what the job carries from now on, where that is new.
    """

    claim: Claim
    outcome: Outcome
    value: object = None
    result_type: TypeAdapter[Any] | None = None
    error: BaseException | None = None
    retry: RetryStrategy | None = None
    delay: timedelta | None = None
    reason: str | None = None
    details: Details | None = None

    @property
    def act(self) -> str:
        """The verb of the manager that tells just this."""
        match self.outcome:
            case Outcome.SUCCEEDED:
                return "complete"
            case Outcome.RELEASED:
                return "release" if self.delay is None else "snooze"
            case Outcome.CANCELED:
                return "acknowledge"
            case _:
                return "fail"
