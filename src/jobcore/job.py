"""A job: one unit of work, where it is in its life, and the values around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache
from operator import attrgetter, is_
from typing import Any, ClassVar, Final, Generic, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, TypeAdapter
from pydantic_core import from_json
from typing_extensions import TypeVar

from jobcore.attempt import Attempt, ErrorDetail, Outcome, decode_error
from jobcore.details import Details
from jobcore.value import named_value, value

_new: Final = object.__new__
_set_fields, _set_names, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__  # what pydantic itself sets in `model_construct`
    for slot in (
        "__dict__",
        "__pydantic_fields_set__",
        "__pydantic_extra__",
        "__pydantic_private__",
    )
)

R_co = TypeVar("R_co", default=Any, covariant=True)
S = TypeVar("S")
J = TypeVar("J", bound="Job[Any]")


class JobStatus(StrEnum):
    """Where a job is in its life, and who moves it on from there."""

    SCHEDULED = "scheduled"
    """Not due yet. Upkeep promotes it; an operator may cancel it."""
    QUEUED = "queued"
    """Claimable now. A claim takes it, holds it or defers it."""
    HELD = "held"
    """May not be started now, `held_by` says why. Upkeep or an operator lifts it."""
    IN_PROGRESS = "in_progress"
    """Claimed. The holder of the token ends it, or upkeep after the lease ran out."""
    COMPLETED = "completed"
    """Done. Only an operator's retry or pruning moves it."""
    FAILED = "failed"
    """No retry is left. Only an operator's retry or pruning moves it."""
    CANCELED = "canceled"
    """Called off. Only an operator's retry or pruning moves it."""

    __hash__ = str.__hash__  # that of Enum runs in Python, at each look-up of a status


TERMINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})
WAITING = frozenset({JobStatus.SCHEDULED, JobStatus.QUEUED, JobStatus.HELD})
UNFINISHED = WAITING | {JobStatus.IN_PROGRESS}


class Priority(IntEnum):
    """Presets of the priority, a signed 16-bit number: the smaller goes first."""

    CRITICAL = -200
    HIGH = -100
    NORMAL = 0
    LOW = 100
    BACKGROUND = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What jobs with one limit key may do together.

    At most `concurrency` of them run at a time. At most `rate` start per `period`,
    evenly spaced, of which `burst` may start at once.
    """

    concurrency: int | None = None
    rate: int | None = None
    period: timedelta = timedelta(seconds=1)
    burst: int = 1


@named_value
class NewJob:
    """A job on its way into a store, which sets its times and picks its status.

    It is due at *due_at*, else *delay* after the insert, else at once. A *unique_key*
    is taken at the insert and kept until the status first leaves *unique_scope*. The
    manager asks the store for the *id*, and a *limit* means nothing without its key.
    A job that is *held_by* something from the beginning is `held`, whenever it is due.
    The scope has the statuses in which a job may begin.
    """

    task: str
    id: str = ""
    queue: str = "default"
    priority: int = 0
    payload: bytes = b"{}"
    labels: Mapping[str, str] = field(default_factory=dict)
    unique_key: str | None = None
    unique_scope: frozenset[JobStatus] = UNFINISHED
    limit_key: str | None = None
    limit: Limit | None = None
    max_retries: int = 0
    timeout: timedelta | None = None
    extra: bytes | None = None
    held_by: str | None = None
    due_at: datetime | None = None
    delay: timedelta | None = None

    def named(self, job_id: str) -> Self:
        """The very same job, which has had no id until now."""
        object.__setattr__(self, "id", job_id)
        return self

    def carrying(self, extra: bytes | None) -> Self:
        """The very same job, which is not stored yet, with another `extra`."""
        object.__setattr__(self, "extra", extra)
        return self

    def due(self, now: datetime) -> datetime:
        """When it is due, seen from the store's *now*."""
        return self.due_at or (now + self.delay if self.delay else now)


class Job(BaseModel, Generic[R_co]):
    """A job as its store knew it at one moment; it never changes and calls nobody.

    The fields `worker` to `error` describe the latest attempt. Payload, result and
    error are JSON text, which `arguments`, `value` and `failure` decode.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )

    id: str
    task: str
    queue: str
    priority: int
    payload: bytes
    labels: Mapping[str, str] = {}
    unique_key: str | None = None
    unique_scope: frozenset[JobStatus] = UNFINISHED
    limit_key: str | None = None
    limit: Limit | None = None
    max_retries: int = 0
    timeout: timedelta | None = None
    extra: bytes | None = None

    status: JobStatus
    held_by: str | None = None
    reason: str | None = None
    generation: int = 0
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None = None
    cancel_requested_at: datetime | None = None

    worker: str | None = None
    lease_until: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    result: bytes | None = None
    error: bytes | None = None
    attempts: tuple[Attempt, ...] = ()

    @classmethod
    def stored(cls, new: NewJob, now: datetime) -> Job:
        """The record of *new* as a store keeps it from *now* on."""
        due_at = new.due(now)
        fields = _DEFAULTS.copy()
        fields.update(zip(_GIVEN, _given(new)))  # noqa: B905 - saying it takes as long as all the rest
        status = JobStatus.SCHEDULED if due_at > now else JobStatus.QUEUED
        fields["status"] = status if new.held_by is None else JobStatus.HELD
        fields["created_at"], fields["due_at"] = now, due_at
        return Job.trusted(fields)

    @classmethod
    def stored_all(cls, new_jobs: Iterable[NewJob], now: datetime) -> list[Job]:
        """The records of *new_jobs*. One with the very values of the one before, but
        for id, payload and labels, costs a fraction."""
        jobs: list[Job] = []
        before: tuple[Any, ...] | None = None
        like: dict[str, Any] = {}
        for new in new_jobs:
            shared = _shared(new)
            if before is not None and all(map(is_, shared, before)):
                fields = like.copy()
                fields["id"], fields["payload"] = new.id, new.payload
                fields["labels"] = new.labels
                jobs.append(_made(Job, fields))
            else:
                jobs.append(Job.stored(new, now))
                before, like = shared, vars(jobs[-1])
        return jobs

    @classmethod
    def trusted(cls, fields: dict[str, Any]) -> Self:
        """The job that has exactly these *fields*, unchecked: for stores, which read
        back what was checked when it was submitted. Every field must be there, and
        the dictionary belongs to the job from now on."""
        return _made(cls, fields)

    def changed(self, fields: Mapping[str, Any]) -> Job[R_co]:
        """The same job but for these *fields*, unchecked like `trusted`."""
        return Job.trusted({**self.__dict__, **fields})

    def typed(self, result_type: TypeAdapter[S] | None, *, duplicate: bool) -> Job[S]:
        """The same record, knowing its task's return type and whether it is new."""
        return _made(_SubmittedJob, vars(self), _known_of(result_type, duplicate))

    def renewed(self, record: Job[Any]) -> Job[R_co]:
        """The newer *record* of this job, with this one's return type."""
        return record

    @property
    def is_duplicate(self) -> bool:
        """Whether `submit` found this job by its unique key and created none."""
        return False

    @property
    def arguments(self) -> dict[str, Any]:
        """The decoded payload."""
        decoded: dict[str, Any] = from_json(self.payload)
        return decoded

    @property
    def details(self) -> Details:
        """What it carries besides: limits of time, progress, checkpoint, its log."""
        return Details.read(self.extra)

    @property
    def value(self) -> R_co | None:
        """The decoded result: the task's return type where `submit` returned this
        job or one refreshed from it, and plain JSON else, also where the `reason` tells
        that a likeness had to be stored; None as long as there is none."""
        if self.result is None:
            return None
        plain: R_co = from_json(self.result)
        return plain

    @property
    def failure(self) -> ErrorDetail | None:
        """The decoded error of the latest attempt that had one."""
        return decode_error(self.error)

    @property
    def latest_attempt(self) -> Attempt | None:
        """The attempt that the record itself describes: one that runs, or ended and
        was not given back without a record."""
        if self.worker is None or self.started_at is None:
            return None
        if self.outcome is None and self.status is not JobStatus.IN_PROGRESS:
            return None
        return Attempt(
            number=self.attempt,
            worker=self.worker,
            started_at=self.started_at,
            ended_at=self.ended_at,
            outcome=self.outcome,
            error=self.error if self.outcome is not None else None,
        )

    def with_attempts(self, filed: tuple[Attempt, ...]) -> Job[R_co]:
        """The record with its history: what a store *filed* earlier, in order, and the
        latest attempt where that one runs or ended the job."""
        latest = self.latest_attempt
        shown = self.status not in WAITING and latest is not None
        if shown and latest and latest.number not in {each.number for each in filed}:
            filed = (*filed, latest)
        return self.changed({"attempts": filed})


_FIELDS: Final = set(Job.model_fields)
_GIVEN: Final = tuple(
    name for name in Job.model_fields if name in NewJob.__annotations__
)
_given: Final = attrgetter(*_GIVEN)
_OWN: Final = {"id", "payload", "labels"}
"""What jobs that are submitted together mostly differ in."""
_shared: Final = attrgetter(*sorted(NewJob.__annotations__.keys() - _OWN))
_DEFAULTS: Final[dict[str, Any]] = {
    name: field.default for name, field in Job.model_fields.items()
}


def _made(
    kind: type[J], fields: dict[str, Any], private: dict[str, Any] | None = None
) -> J:
    job = _new(kind)
    _set_fields(job, fields)
    _set_names(job, _FIELDS)
    _set_extra(job, None)
    _set_private(job, private)
    return job


@value
class Inserted:
    """The job as it is stored now, and whether the insert created it."""

    job: Job
    created: bool


@lru_cache(maxsize=1024)
def _known_of(
    result_type: TypeAdapter[Any] | None,
    duplicate: bool,  # noqa: FBT001 - the part of a key
) -> dict[str, Any]:
    """What submitted jobs know besides, which those that know the same share."""
    return {"_result_type": result_type, "_duplicate": duplicate}


class _SubmittedJob(Job[R_co]):
    """What `submit` returns. That it is a class of its own keeps stores, which make
    jobs by the thousand, from paying for what only these know."""

    _result_type: TypeAdapter[Any] | None = PrivateAttr(default=None)
    _duplicate: bool = PrivateAttr(default=False)

    def renewed(self, record: Job[Any]) -> Job[R_co]:
        return record.typed(self._result_type, duplicate=self._duplicate)

    @property
    def is_duplicate(self) -> bool:
        return self._duplicate

    @property
    def value(self) -> R_co | None:
        if self.result is None or self._result_type is None or self.reason is not None:
            return super().value
        typed: R_co = self._result_type.validate_json(self.result)
        return typed
