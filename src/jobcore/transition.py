"""A guarded write: what is expected of a job, and what it becomes if that holds."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypedDict

from jobcore.attempt import Attempt, Outcome
from jobcore.job import TERMINAL, JobStatus
from jobcore.value import named_value


class Answer(StrEnum):
    """What became of a transition: applied, or why it changed nothing."""

    APPLIED = "applied"
    """It took effect, now or when the same write came before."""
    MISSING = "missing"
    """There is no such job."""
    LOCKED = "locked"
    """The row is in somebody's open transaction; worth trying again."""
    TOKEN = "token"  # noqa: S105 - the name of an expectation, not a secret
    """The claim was ended or replaced."""
    STATUS = "status"
    GENERATION = "generation"
    LEASE = "lease"
    """The lease has not run out, or was renewed."""
    CANCEL_REQUEST = "cancel_request"
    """A cancellation was requested meanwhile."""
    UNIQUE_KEY = "unique_key"
    """Another job holds the unique key that this write would take."""


_APPLIED = Answer.APPLIED
_HELD, _IN_PROGRESS = JobStatus.HELD, JobStatus.IN_PROGRESS


class Guarded(Protocol):
    """What a transition is judged by: a `Job`, a row, anything with these."""

    @property
    def status(self) -> JobStatus: ...
    @property
    def generation(self) -> int: ...
    @property
    def lease_until(self) -> datetime | None: ...
    @property
    def cancel_requested_at(self) -> datetime | None: ...


class Changes(TypedDict, total=False):
    """Fields that a transition sets to a value of its own."""

    failures: int
    losses: int
    result: bytes | None
    error: bytes | None
    reason: str | None
    extra: bytes | None
    queue: str
    priority: int
    payload: bytes


@named_value
class Expectation:
    """What must hold when the write happens. What is None or False is not asked."""

    token: str | None = field(default=None, repr=False)
    statuses: frozenset[JobStatus] | None = None
    generation: int | None = None
    lease_expired: bool = False
    no_cancel_request: bool = False

    def judge(self, job: Guarded, token: str | None, now: datetime) -> Answer:
        """`applied`, or the first expectation that *job* with its current *token*
        fails."""
        if self.token is not None and self.token != token:
            return Answer.TOKEN
        if self.statuses is not None and job.status not in self.statuses:
            return Answer.STATUS
        if self.generation is not None and self.generation != job.generation:
            return Answer.GENERATION
        if self.lease_expired and (job.lease_until is None or job.lease_until > now):
            return Answer.LEASE
        if self.no_cancel_request and job.cancel_requested_at is not None:
            return Answer.CANCEL_REQUEST
        return _APPLIED


@named_value
class Transition:
    """One guarded write of a batch.

    It is recorded under *token* and *outcome*, where there is a token: the same write
    coming again is answered `applied` and has no second effect. With a *delay* the job
    is due that much later; where that is not zero, its status is *later*. *attempt* is
    the attempt that ended. A store files it, unless its number is filed already or the
    new status is terminal: then the job's own fields tell it. A job that stays `held`
    stays so by the same holder. *cancel* requests a
    cancellation (True) or forgets one (False). *next_generation* makes every older
    expectation of a generation fail, and takes the unique key again where the new
    status is in its scope.
    """

    job_id: str
    expect: Expectation
    status: JobStatus
    later: JobStatus | None = None
    delay: timedelta | None = None
    token: str | None = field(default=None, repr=False)
    outcome: Outcome | None = None
    attempt: Attempt | None = None
    changes: Changes = field(default_factory=Changes)
    cancel: bool | None = None
    next_generation: bool = False

    @property
    def receipt(self) -> str | None:
        """What a store keeps of the last recorded write, to know it when it returns."""
        return self.token and f"{self.token}:" + (self.outcome or "")

    def came_before(self, receipt: str | None) -> bool:
        """Whether a job with this last *receipt* shows that this very write was made
        already, so that nothing is to be written again."""
        return receipt is not None and receipt == self.receipt

    def filed(self, now: datetime) -> Attempt | None:
        """The attempt record that a store adds to the job's history, if any."""
        if self.attempt is None or self.status in TERMINAL:
            return None
        return replace(self.attempt, ended_at=self.attempt.ended_at or now)

    def answer(
        self, job: Guarded, token: str | None, receipt: str | None, now: datetime
    ) -> Answer:
        """Judge the write against *job* as it is stored with its current claim's
        *token* and its last *receipt*. `applied` is also the answer where the write
        `came_before`, and then has no effect. The unique key is the store's question.
        """
        if self.came_before(receipt):
            return _APPLIED
        return self.expect.judge(job, token, now)

    @property
    def is_blind(self) -> bool:
        """Whether the fields that it changes are the same whatever the job was."""
        return self.cancel is None and not self.next_generation

    def effect(self, job: Guarded, now: datetime) -> dict[str, Any]:
        """The fields of *job* that the write changes, by name."""
        fields = self.fields(now)
        if self.cancel is not None:
            requested_at = job.cancel_requested_at or now
            fields["cancel_requested_at"] = requested_at if self.cancel else None
        if self.next_generation:
            fields["generation"] = job.generation + 1
        return fields

    def fields(self, now: datetime) -> dict[str, Any]:
        """What the write makes of every job that it applies to, by name."""
        fields: dict[str, Any] = {**self.changes}
        status = self.status
        if self.delay is not None:
            fields["due_at"] = now + self.delay
            status = self.later if self.later and self.delay else self.status
        fields["status"] = status
        if status is not _IN_PROGRESS:
            fields["lease_until"] = None
            if status is not _HELD:
                fields["held_by"] = None
            fields["finished_at"] = now if status in TERMINAL else None
        if self.attempt is not None:
            fields["ended_at"] = self.attempt.ended_at or now
            fields["outcome"] = self.attempt.outcome
        return fields
