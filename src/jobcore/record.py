"""What a store keeps of a job, for stores that keep it whole.

The rules that hold for every change of a job are here, so that such a store has only to
find records and to write them. A store that keeps fields in columns of its own has no
use for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from jobcore.attempt import Attempt
from jobcore.claim import Claim, ClaimRequest
from jobcore.job import Job, JobStatus, NewJob
from jobcore.transition import Answer, Transition


class JobRecord(BaseModel):
    """A job with what is shown to nobody; it never changes.

    That is the *token* of the current claim, the *receipt* of the last write that had a
    token, the attempts that were filed, and whether the job still holds its unique key.
    As JSON, by `model_dump_json` and `model_validate_json`, it stays what it is.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )

    job: Job
    token: str | None = None
    receipt: str | None = None
    attempts: tuple[Attempt, ...] = ()
    has_unique_key: bool = False

    @classmethod
    def stored(cls, new: NewJob, now: datetime) -> JobRecord:
        """The record of *new*, which takes its unique key if its scope allows it."""
        job = Job.stored(new, now)
        return cls(job=job, has_unique_key=_may_have_key(job))

    @property
    def claim(self) -> Claim:
        """The current claim of a job that is in progress."""
        return Claim(self.job, self.token or "")

    def shown(self, *, attempts: bool) -> Job:
        """The job as `get` answers it."""
        return self.job.with_attempts(self.attempts) if attempts else self.job

    def changed(self, fields: Mapping[str, Any]) -> JobRecord:
        """The record of the job with these *fields*. A job that is not in progress has
        no token, and one that leaves the scope of its unique key has lost it."""
        job = self.job.changed(fields)
        token = self.token if job.status is JobStatus.IN_PROGRESS else None
        has_unique_key = self.has_unique_key and _may_have_key(job)
        fields = {"job": job, "token": token, "has_unique_key": has_unique_key}
        return self.model_copy(update=fields)

    def claimed(self, request: ClaimRequest, now: datetime) -> JobRecord:
        """The record once *request* has taken the job."""
        changed = self.changed(request.effect(self.job.attempt, now))
        return changed.model_copy(update={"token": request.token})

    def renewed(self, until: datetime) -> JobRecord:
        """The record with a lease until *until*, or longer if it was longer."""
        lease_until = self.job.lease_until
        if lease_until is not None and lease_until >= until:
            return self
        return self.changed({"lease_until": until})

    def answer(self, transition: Transition, now: datetime) -> Answer:
        """What *transition* is answered, but for the unique key: where the record
        `after` it has one that this record has not, somebody else may hold it."""
        return transition.answer(self.job, self.token, self.receipt, now)

    def after(self, transition: Transition, now: datetime) -> JobRecord:
        """The record once *transition*, whose answer is `applied`, is made; this very
        record if the same write came before."""
        if transition.came_before(self.receipt):
            return self
        changed = self.changed(transition.effect(self.job, now))
        retaken = transition.next_generation and _may_have_key(changed.job)
        return changed.model_copy(
            update={
                "receipt": transition.receipt or self.receipt,
                "attempts": self._filed(transition.filed(now)),
                "has_unique_key": changed.has_unique_key or retaken,
            }
        )

    def _filed(self, attempt: Attempt | None) -> tuple[Attempt, ...]:
        if attempt and attempt.number not in {each.number for each in self.attempts}:
            return (*self.attempts, attempt)
        return self.attempts


def _may_have_key(job: Job) -> bool:
    return job.unique_key is not None and job.status in job.unique_scope
