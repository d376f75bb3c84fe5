"""What happens to jobs, told to the host as it happens, and to its log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from jobcore.attempt import Outcome
from jobcore.job import Job, JobStatus
from jobcore.lifecycle import EXPIRED
from jobcore.transition import Transition
from jobcore.value import value

_logger = logging.getLogger("jobcore.events")


class EventKind(StrEnum):
    """What can happen, as this process sees it."""

    SUBMITTED = "submitted"
    CLAIMED = "claimed"
    HELD = "held"
    """A claim met jobs that may not start now; how many, the *number* says."""
    SUCCEEDED = "succeeded"
    RETRYING = "retrying"
    """An attempt failed or timed out, and another one follows."""
    FAILED = "failed"
    """It failed for good."""
    RELEASED = "released"
    """It was given back, or snoozed."""
    CANCEL_REQUESTED = "cancel requested"
    CANCELED = "canceled"
    EXPIRED = "expired"
    """It was canceled as it came too late."""
    LOST = "lost"
    """Its lease ran out, and upkeep of this process found that."""
    LEASE_LOST = "lease lost"
    """A worker of this process holds it no longer."""
    STUCK = "stuck"
    """Its handler ignores its cancellation."""
    UNKNOWN_TASK = "unknown task"
    """A worker of this process claimed it, and has no such task."""
    RETRIED = "retried"
    """An operator started it anew."""
    MOVED = "moved"
    APPROVED = "approved"
    SCHEDULE_FIRED = "schedule fired"
    """A tick made a job, of which this is told in the place of its submit."""
    SCHEDULE_SKIPPED = "schedule skipped"
    """A tick made no job."""
    DEGRADED = "degraded"
    """The store does not answer, and calls are repeated."""
    RESTORED = "restored"
    """It answers again."""

    __hash__ = str.__hash__  # that of Enum runs in Python


_K = EventKind
LEVELS: Final[Mapping[EventKind, int]] = {
    _K.SUBMITTED: logging.DEBUG,
    _K.CLAIMED: logging.DEBUG,
    _K.HELD: logging.DEBUG,
    _K.SUCCEEDED: logging.DEBUG,
    _K.RELEASED: logging.DEBUG,
    _K.SCHEDULE_FIRED: logging.DEBUG,
    _K.CANCEL_REQUESTED: logging.INFO,
    _K.CANCELED: logging.INFO,
    _K.EXPIRED: logging.INFO,
    _K.RETRIED: logging.INFO,
    _K.MOVED: logging.INFO,
    _K.APPROVED: logging.INFO,
    _K.RESTORED: logging.INFO,
    _K.RETRYING: logging.WARNING,
    _K.FAILED: logging.WARNING,
    _K.LOST: logging.WARNING,
    _K.LEASE_LOST: logging.WARNING,
    _K.SCHEDULE_SKIPPED: logging.WARNING,
    _K.DEGRADED: logging.WARNING,
    _K.STUCK: logging.ERROR,
    _K.UNKNOWN_TASK: logging.ERROR,
}
"""At which level each is logged."""


@value
class Event:
    """Something that happened: to a *job*, as it was then, or to a *schedule*, or to
    the store. *status* is what the job became by it, and *actor* who did it, where an
    operator was named."""

    kind: EventKind
    job: Job[Any] | None = None
    worker: str | None = None
    schedule: str | None = None
    status: JobStatus | None = None
    detail: str = ""
    number: int = 1
    actor: str | None = None

    def __str__(self) -> str:
        subject = "the store"
        if self.job is not None:
            subject = f"job {self.job.id} ({self.job.task})"
        elif self.schedule is not None:
            subject = f"schedule {self.schedule}"
        elif self.kind is EventKind.HELD:
            subject = f"{self.number} jobs"
        by = f" by {self.actor}" if self.actor else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{subject} {self.kind}{by}{detail}"


Subscriber = Callable[[Event], object]


class Events:
    """The stream of what happens in one manager and its workers."""

    def __init__(self) -> None:
        self._subscribers: dict[object, Subscriber] = {}

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Let *subscriber* be called with each event, in the event loop, right when it
        has happened; what it raises is logged and changes nothing. The function that is
        returned ends that."""
        key = object()
        self._subscribers[key] = subscriber

        def unsubscribe() -> None:
            self._subscribers.pop(key, None)

        return unsubscribe

    def wants(self, kind: EventKind) -> bool:
        """Whether anybody would hear of such an event."""
        return bool(self._subscribers) or _logger.isEnabledFor(LEVELS[kind])

    def tell(self, event: Event) -> None:
        """Tell of *event*."""
        level = LEVELS[event.kind]
        if _logger.isEnabledFor(level):
            _logger.log(level, "%s", event, extra=about(event.job, event.worker))
        for subscriber in tuple(self._subscribers.values()):
            try:
                subscriber(event)
            except Exception:  # a host's error must not become the job's
                _logger.exception("a subscriber failed at: %s", event)


def about(job: Job[Any] | None, worker: str | None = None) -> dict[str, Any]:
    """The fields that every record about a job has, for `extra` of a logging call."""
    if job is None:
        return {} if worker is None else {"worker_id": worker}
    details = job.details
    return {
        "job_id": job.id,
        "task": job.task,
        "queue": job.queue,
        "attempt": job.attempt,
        "worker_id": worker or job.worker,
        "correlation_id": details.correlation_id,
        "traceparent": details.traceparent,
    }


_ENDED: Final[Mapping[JobStatus, EventKind]] = {
    JobStatus.COMPLETED: EventKind.SUCCEEDED,
    JobStatus.FAILED: EventKind.FAILED,
    JobStatus.CANCELED: EventKind.CANCELED,
}
_GIVEN_BACK: Final[Mapping[Outcome | None, EventKind]] = {
    Outcome.FAILED: EventKind.RETRYING,
    Outcome.TIMED_OUT: EventKind.RETRYING,
    Outcome.LOST: EventKind.LOST,
}


def ended(write: Transition) -> EventKind:
    """What is told of a *write* that ended a claim."""
    if write.changes.get("reason") == EXPIRED:
        return EventKind.EXPIRED
    if write.status in _ENDED:
        return _ENDED[write.status]
    return _GIVEN_BACK.get(write.outcome, EventKind.RELEASED)


def operated(job: Job[Any], write: Transition) -> EventKind:
    """What is told of a *write* that an operator has made of *job*."""
    if write.cancel:
        return EventKind.CANCEL_REQUESTED
    if write.status is JobStatus.CANCELED:
        return EventKind.CANCELED
    if write.next_generation:
        return EventKind.RETRIED
    left = job.status is JobStatus.HELD and write.status is not JobStatus.HELD
    return EventKind.APPROVED if left else EventKind.MOVED
