"""What happened in a simulation: every call to the store, and what it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from jobcore.abilities import ScheduleRecord
from jobcore.attempt import Outcome
from jobcore.config import JobcoreConfig
from jobcore.job import TERMINAL, Job, JobStatus, NewJob
from jobcore.transition import Transition


class Event(StrEnum):
    """What happens to a job, as it is told apart from its records: the events of the
    lifecycle, and what leaves the status alone."""

    SUBMIT = "submit"
    PROMOTE = "promote"
    CLAIM = "claim"
    HOLD = "hold"
    LIFT = "lift"
    DEFER = "defer"
    RENEW = "renew"
    COMPLETE = "complete"
    FAIL = "fail"
    BACK_OFF = "back off"
    SNOOZE = "snooze"
    RELEASE = "release"
    REQUEST = "request"
    ACKNOWLEDGE = "acknowledge"
    CANCEL = "cancel"
    RETRY = "retry"
    MOVE = "move"
    APPROVE = "approve"
    NOTE = "note"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One job before and after one call; None where it did not exist."""

    before: Job | None
    after: Job | None
    event: Event
    write: Transition | None = None
    again: bool = False
    """Whether the call had been performed once before this change."""

    @property
    def job_id(self) -> str:
        job = self.after or self.before
        return "" if job is None else job.id


@dataclass(slots=True, eq=False)
class Call:
    """One call to the store: when it was made, performed and answered, by virtual time
    in seconds; None where that did not happen."""

    process: str
    verb: str
    asked: Any
    made_at: float
    performed_at: float | None = None
    answered_at: float | None = None
    clock: datetime | None = None
    """The store's clock when it was performed."""
    answer: Any = None
    second_answer: Any = None
    """What the call was answered when it was performed once more."""
    error: Exception | None = None
    faults: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """What the caller knows: ok, an error, or nothing."""
        if self.answered_at is None:
            return "unknown"
        return "ok" if self.error is None else type(self.error).__name__

    def __str__(self) -> str:
        """Without tokens of claims, but with all else that matters."""
        met = f" [{', '.join(self.faults)}]" if self.faults else ""
        told = "; ".join(map(_told, self.changes))
        at = self.made_at if self.performed_at is None else self.performed_at
        return f"{at:9.3f} {self.process} {self.verb}{met} {self.outcome}: {told}"


@dataclass(frozen=True, slots=True)
class Firing:
    """What a call of `fire` asks for."""

    schedule: ScheduleRecord
    expected: str | None
    jobs: Sequence[NewJob]


@dataclass(slots=True)
class Running:
    """One execution of a handler, by the life of that number."""

    life: int
    job_id: str
    attempt: int
    began_at: float
    ended_at: float | None = None


@dataclass(slots=True)
class Life:
    """One worker: from when to when it worked, and how many
    jobs it runs at a time. Processes that follow one another may share a name."""

    process: str
    concurrency: int
    began_at: float
    ended_at: float | None = None
    stopping_at: float | None = None
    crashed: bool = False
    error: BaseException | None = None


@dataclass(slots=True)
class History:
    """Everything that a checker may look at."""

    seed: int
    config: JobcoreConfig
    calls: list[Call] = field(default_factory=list)
    """In the order in which they were made."""
    performed: list[Call] = field(default_factory=list)
    """In the order in which they took effect."""
    running: list[Running] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    """Every job that exists, as it was last seen."""
    calm_at: float | None = None
    """Since when there are no more faults."""
    stopping_at: float | None = None
    """Since when everybody is told to stop."""
    ended_at: float = 0.0
    ended_clock: datetime | None = None
    """What the store's clock showed then."""
    deadline_missed: bool = False
    leftovers: list[str] = field(default_factory=list)
    """What still ran after everybody had been told to stop."""
    unhandled: list[str] = field(default_factory=list)
    """Errors that nobody handled."""
    unsound: list[str] = field(default_factory=list)
    """What the store found wrong with itself."""
    living: list[str] | None = None
    """The workers in the directory at the end, where that was looked at."""
    refused: list[str] = field(default_factory=list)
    """Labels of jobs that were refused before they were stored."""

    def changes(self) -> Iterator[tuple[Call, Change]]:
        for call in self.performed:
            for change in call.changes:
                yield call, change

    @property
    def submitted(self) -> int:
        """How many jobs were stored."""
        return sum(change.event is Event.SUBMIT for _, change in self.changes())

    def of(self, job_id: str) -> list[str]:
        """The life of one job, a line per call that changed it."""
        return [
            str(call)
            for call in self.performed
            if any(change.job_id == job_id for change in call.changes)
        ]

    def digest(self) -> str:
        """The same for two histories that are the same."""
        made = hashlib.sha256()
        for call in self.performed:
            made.update(f"{call} {call.made_at} {call.answered_at}\n".encode())
            for change in call.changes:
                if (after := change.after) is not None:
                    made.update(f"{after.due_at} {after.lease_until}\n".encode())
                    made.update(after.payload + (after.result or after.error or b""))
        for each in self.running:
            made.update(f"{each}\n".encode())
        return made.hexdigest()


def event_of(
    verb: str, before: Job | None, after: Job | None, write: Transition | None
) -> Event:
    """What a change of a job by *verb* is called."""
    if before is None:
        return Event.SUBMIT
    if after is None:
        return Event.DELETE
    if verb == "claim":
        return _CLAIMED.get(after.status, Event.CLAIM)
    if verb == "apply":
        return _ended(before, after, write)
    return _BY_VERB.get(verb, Event.RENEW)


_CLAIMED: Final = {JobStatus.HELD: Event.HOLD, JobStatus.SCHEDULED: Event.DEFER}
_BY_VERB: Final = {"promote": Event.PROMOTE, "lift": Event.LIFT}
_ENDED: Final = {
    JobStatus.COMPLETED: Event.COMPLETE,
    JobStatus.FAILED: Event.FAIL,
}
_UNSPENT: Final = {None, Outcome.RELEASED}


def _ended(before: Job, after: Job, write: Transition | None) -> Event:
    if before.status in TERMINAL:
        return Event.RETRY
    if after.status is JobStatus.CANCELED:
        running = before.status is JobStatus.IN_PROGRESS
        return Event.ACKNOWLEDGE if running else Event.CANCEL
    if (event := _ENDED.get(after.status)) is not None:
        return event
    if after.status is JobStatus.IN_PROGRESS:
        return Event.REQUEST if write is not None and write.cancel else Event.NOTE
    if before.status is JobStatus.IN_PROGRESS:
        return _given_back(before, after, write)
    return Event.MOVE if after.status is before.status else Event.APPROVE


def _given_back(before: Job, after: Job, write: Transition | None) -> Event:
    if write is not None and write.outcome not in _UNSPENT:
        return Event.BACK_OFF
    return Event.RELEASE if after.due_at == before.due_at else Event.SNOOZE


def _told(change: Change) -> str:
    before, after = change.before, change.after
    was = "-" if before is None else before.status.value
    if after is None:
        return f"{change.job_id} {change.event} {was}"
    return (
        f"{after.id} {change.event} {was}>{after.status.value} attempt "
        f"{after.attempt} failures {after.failures} losses {after.losses}"
    )
