"""Claims: who holds a job, how a claim is asked for, and what comes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jobcore.job import Job, JobStatus
from jobcore.value import value


@value
class Claim:
    """A job and the token of whoever holds it.

    The token is random, new for every claim call and shown nowhere else: who has it
    may end the claim, and it is current until somebody ends or replaces it.
    """

    job: Job
    token: str = field(repr=False)

    @property
    def job_id(self) -> str:
        return self.job.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """A wish for up to *limit* jobs of *queues*, the first of which is emptied before
    the next is asked. *repeated* says that it may have been made before. *most* is how
    many entries may be looked at, where it is not as usual: in a part of a claim."""

    token: str = field(repr=False)
    worker: str
    queues: tuple[str, ...]
    limit: int
    lease: timedelta
    repeated: bool = False
    most: int | None = None

    @property
    def bound(self) -> int:
        """How many entries a store may look at in one call."""
        return 4 * self.limit + 64 if self.most is None else self.most

    def effect(self, attempt: int, now: datetime) -> dict[str, Any]:
        """The fields that the claim of a job with *attempt* attempts so far changes."""
        return {
            "status": JobStatus.IN_PROGRESS,
            "attempt": attempt + 1,
            "worker": self.worker,
            "lease_until": now + self.lease,
            "started_at": now,
            "ended_at": None,
            "outcome": None,
        }

    def in_order(self, jobs: Iterable[Job]) -> list[Job]:
        """*jobs* in the order in which this request takes them, for a store that
        answers it again and did not keep the order of its first answer."""
        places = {queue: place for place, queue in enumerate(self.queues)}
        return sorted(
            jobs,
            key=lambda job: (
                *(places.get(job.queue, len(places)), job.priority),
                *(job.due_at, job.id),
            ),
        )


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What a claim brought, in the order in which the jobs are to start.

    *examined* counts the entries that were looked at. *bounded* says that it stopped
    short of its limit because they reached the bound, so that asking again at once is
    worth it; in a store without `QueueControl` that cannot happen. *held* and
    *deferred* count the jobs it met and might not start.
    """

    claims: tuple[Claim, ...] = ()
    examined: int = 0
    bounded: bool = False
    held: int = 0
    deferred: int = 0


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a renewal found out: claims that are *lost*, and jobs whose cancellation
    was *requested*; both by job id. All claims but the lost ones are extended."""

    lost: frozenset[str] = frozenset()
    requested: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Promotion:
    """How many jobs became due, and how long until the next one is (None: nothing
    waits, zero: more are due already)."""

    promoted: int = 0
    next_due_in: timedelta | None = None
