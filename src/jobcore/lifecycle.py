"""The life of a job: the one table of statuses and events, and each event as a write.

Nothing else decides what a job becomes. The manager asks here and hands the answer to
a store, which compares and sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from jobcore.attempt import Attempt, Outcome
from jobcore.claim import Claim
from jobcore.deadline import time_left
from jobcore.errors import TransitionError
from jobcore.job import TERMINAL, Job, JobStatus
from jobcore.transition import Changes, Expectation, Transition

_S = JobStatus


class JobEvent(StrEnum):
    """What can happen to a job."""

    PROMOTE = "promote"
    """Its due time came."""
    CLAIM = "claim"
    HOLD = "hold"
    """A claim met it and may not start it: limit full, task paused."""
    LIFT = "lift"
    DEFER = "defer"
    """A claim met it over the rate of its limit; it got a later instant."""
    COMPLETE = "complete"
    FAIL = "fail"
    """It failed and no retry is left."""
    BACK_OFF = "back off"
    """It failed or was lost, and another attempt follows after a delay."""
    SNOOZE = "snooze"
    """It asked to be run later."""
    RELEASE = "release"
    """Its holder gives it back unfinished."""
    CANCEL = "cancel"
    """Somebody wants it called off; while it runs, that is a request."""
    ACKNOWLEDGE = "acknowledge"
    """Its holder ended after a request to cancel."""
    EXPIRE = "expire"
    """It was not started in time."""
    RETRY = "retry"
    """An operator starts it anew, as the next generation."""
    MOVE = "move"
    """An operator gives it another queue or priority."""
    APPROVE = "approve"
    """An operator lets it go that was held for approval; it runs when it is due."""

    __hash__ = str.__hash__  # that of Enum runs in Python


TRANSITIONS: Final[Mapping[JobStatus, Mapping[JobEvent, JobStatus]]] = {
    _S.SCHEDULED: {
        JobEvent.PROMOTE: _S.QUEUED,
        JobEvent.CANCEL: _S.CANCELED,
        JobEvent.MOVE: _S.SCHEDULED,
    },
    _S.QUEUED: {
        JobEvent.CLAIM: _S.IN_PROGRESS,
        JobEvent.HOLD: _S.HELD,
        JobEvent.DEFER: _S.SCHEDULED,
        JobEvent.CANCEL: _S.CANCELED,
        JobEvent.MOVE: _S.QUEUED,
    },
    _S.HELD: {
        JobEvent.LIFT: _S.QUEUED,
        JobEvent.CANCEL: _S.CANCELED,
        JobEvent.MOVE: _S.HELD,
        JobEvent.APPROVE: _S.SCHEDULED,
    },
    _S.IN_PROGRESS: {
        JobEvent.COMPLETE: _S.COMPLETED,
        JobEvent.FAIL: _S.FAILED,
        JobEvent.BACK_OFF: _S.SCHEDULED,
        JobEvent.SNOOZE: _S.SCHEDULED,
        JobEvent.RELEASE: _S.QUEUED,
        JobEvent.CANCEL: _S.IN_PROGRESS,
        JobEvent.ACKNOWLEDGE: _S.CANCELED,
        JobEvent.EXPIRE: _S.CANCELED,
    },
    _S.COMPLETED: {JobEvent.RETRY: _S.QUEUED},
    _S.FAILED: {JobEvent.RETRY: _S.QUEUED},
    _S.CANCELED: {JobEvent.RETRY: _S.QUEUED},
}

_AFTER_CLAIM: Final = TRANSITIONS[_S.IN_PROGRESS]
_COMPLETE, _SUCCEEDED = JobEvent.COMPLETE, Outcome.SUCCEEDED

APPROVAL: Final = "approval"
"""What a job is `held_by` that may not start before somebody approves."""
DEADLINE: Final = "deadline"
"""The `reason` of a job that failed as its deadline let no other attempt begin."""
EXPIRED: Final = "expired"
"""The `reason` of a job that was canceled as it was not started in time."""
LOST: Final = "lost"
"""The `reason` of a job that failed because its claims were lost too often."""


def after(status: JobStatus, event: JobEvent) -> JobStatus:
    """The status that follows *status* on *event*; TransitionError where none does."""
    try:
        return TRANSITIONS[status][event]
    except KeyError:
        raise TransitionError(status, event) from None


def complete(claim: Claim, result: bytes, reason: str | None = None) -> Transition:
    """The job is done, even if somebody wanted it canceled meanwhile. The *reason* says
    what is odd about its result."""
    return _end(
        claim,
        _COMPLETE,
        _SUCCEEDED,
        changes={"result": result, "error": None, "reason": reason},
    )


def fail(
    claim: Claim,
    error: bytes,
    outcome: Outcome,
    retry_after: timedelta | None,
    reason: str | None = None,
) -> Transition:
    """The attempt failed or timed out. Another one follows *retry_after*, where that
    is given, a retry is left, and it would begin before the job's deadline; else the
    job fails for that *reason*."""
    failures, left = claim.job.failures + 1, time_left(claim.job)
    changes: Changes = {"failures": failures, "error": error}
    if retry_after is not None and failures <= claim.job.max_retries:
        if left is None or retry_after < left:
            event = JobEvent.BACK_OFF
            return _end(
                *(claim, event, outcome),
                changes=changes,
                delay=retry_after,
                error=error,
            )
        reason = DEADLINE
    changes["reason"] = reason or outcome.value
    return _end(claim, JobEvent.FAIL, outcome, changes=changes, error=error)


def lose(
    claim: Claim,
    token: str,
    error: bytes,
    retry_after: timedelta | None,
    max_lost: int,
) -> Transition:
    """The lease ran out. The claim ends under a *token* of upkeep's own, and the job
    returns after a delay, or fails when that happened *max_lost* times."""
    losses = claim.job.losses + 1
    changes: Changes = {"losses": losses, "error": error}
    if losses < max_lost:
        event, delay = JobEvent.BACK_OFF, retry_after or timedelta(0)
        end = _end(
            claim, event, Outcome.LOST, changes=changes, delay=delay, error=error
        )
    else:
        changes["reason"] = LOST
        end = _end(claim, JobEvent.FAIL, Outcome.LOST, changes=changes, error=error)
    return replace(end, token=token, expect=replace(end.expect, lease_expired=True))


def release(claim: Claim) -> Transition:
    """The holder gives the job back to its old place in the line; nothing is spent."""
    return _end(claim, JobEvent.RELEASE, Outcome.RELEASED, changes={})


def snooze(claim: Claim, delay: timedelta) -> Transition:
    """The job is to run *delay* later; nothing is spent and no record is left."""
    end = _end(claim, JobEvent.SNOOZE, Outcome.RELEASED, changes={}, delay=delay)
    return end if end.status in TERMINAL else replace(end, attempt=None)


def acknowledge(end: Transition, claim: Claim | None = None) -> Transition:
    """What *end* of a claim becomes once a cancellation is requested. Where it would
    have left no record of its attempt (`snooze`), the *claim* tells that."""
    attempt = end.attempt
    if attempt is None and claim is not None and end.outcome is not None:
        attempt = _ended(claim.job, end.outcome, None)
    return replace(
        end,
        attempt=attempt,
        status=after(JobStatus.IN_PROGRESS, JobEvent.ACKNOWLEDGE),
        later=None,
        delay=None,
        expect=replace(end.expect, no_cancel_request=False),
        changes=Changes(**{**end.changes, "reason": JobStatus.CANCELED.value}),
    )


def expire(claim: Claim) -> Transition:
    """The job is called off, as it was claimed too late to be started."""
    changes: Changes = {"reason": EXPIRED}
    return _end(claim, JobEvent.EXPIRE, Outcome.CANCELED, changes=changes)


def note(claim: Claim, extra: bytes | None) -> Transition:
    """The job carries *extra* from now on; its holder goes on."""
    return Transition(
        job_id=claim.job_id,
        expect=Expectation(token=claim.token),
        status=JobStatus.IN_PROGRESS,
        changes={"extra": extra},
    )


def stop(claim: Claim) -> Transition:
    """The handler ended because a cancellation was requested."""
    return acknowledge(_end(claim, JobEvent.RELEASE, Outcome.CANCELED, changes={}))


def cancel(job: Job, token: str) -> Transition:
    """The job is called off where it waits; where it runs, that is requested."""
    status = after(job.status, JobEvent.CANCEL)
    expect = Expectation(statuses=frozenset({job.status}), generation=job.generation)
    if status is JobStatus.IN_PROGRESS:
        return Transition(job_id=job.id, expect=expect, status=status, cancel=True)
    return Transition(
        job_id=job.id,
        expect=expect,
        status=status,
        token=token,
        outcome=Outcome.CANCELED,
        changes={"reason": JobStatus.CANCELED.value},
    )


def move(job: Job, changes: Changes) -> Transition:
    """A job that waits gets another queue or priority, and keeps its due time."""
    return Transition(
        job_id=job.id,
        expect=Expectation(statuses=frozenset({job.status}), generation=job.generation),
        status=after(job.status, JobEvent.MOVE),
        changes=changes,
    )


def approve(job: Job) -> Transition:
    """A job that is held for approval is let go."""
    if job.held_by != APPROVAL:
        raise TransitionError(job.status, JobEvent.APPROVE)
    return Transition(
        job_id=job.id,
        expect=Expectation(statuses=frozenset({job.status}), generation=job.generation),
        status=after(job.status, JobEvent.APPROVE),
    )


def retry(job: Job, token: str, payload: bytes | None = None) -> Transition:
    """A terminal job starts anew: queued, with all its retries, under its old id, and
    perhaps with another *payload*."""
    changes: Changes = {
        "failures": 0,
        "losses": 0,
        "result": None,
        "error": None,
        "reason": None,
    }
    if payload is not None:
        changes["payload"] = payload
    if job.extra is not None:
        changes["extra"] = job.details.anew().written()
    return Transition(
        job_id=job.id,
        expect=Expectation(statuses=frozenset({job.status}), generation=job.generation),
        status=after(job.status, JobEvent.RETRY),
        delay=timedelta(0),
        token=token,
        attempt=job.latest_attempt,
        changes=changes,
        cancel=False,
        next_generation=True,
    )


def _end(  # noqa: PLR0913 - the parts of one end of a claim, named at each call
    claim: Claim,
    event: JobEvent,
    outcome: Outcome,
    *,
    changes: Changes,
    delay: timedelta | None = None,
    error: bytes | None = None,
) -> Transition:
    job = claim.job
    status = _AFTER_CLAIM[event]
    end = Transition(
        job_id=job.id,
        expect=_held(claim.token, event),
        status=status if delay is None else JobStatus.QUEUED,
        later=None if delay is None else status,
        delay=delay,
        token=claim.token,
        outcome=outcome,
        attempt=_ended(job, outcome, error),
        changes=changes,
    )
    requested = job.cancel_requested_at is not None
    return acknowledge(end) if requested and end.expect.no_cancel_request else end


@lru_cache(maxsize=256)  # the claims of one call share a token
def _held(token: str, event: JobEvent) -> Expectation:
    return Expectation(token=token, no_cancel_request=event is not JobEvent.COMPLETE)


def _ended(job: Job, outcome: Outcome, error: bytes | None) -> Attempt | None:
    if job.worker is None or job.started_at is None:
        return None
    return Attempt(
        number=job.attempt,
        worker=job.worker,
        started_at=job.started_at,
        ended_at=job.ended_at,
        outcome=outcome,
        error=error,
    )
