"""How much a fault of a call is worth: the more, the rarer what it does to jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jobcore.attempt import Outcome
from jobcore.job import TERMINAL, Job, JobStatus
from jobcore.transition import Transition

_WRITERS: Final = frozenset({"insert", "fire", "apply", "promote", "lift", "delete"})
"""The verbs that change jobs and are not called all the time."""

_RARE_STATUSES: Final = frozenset(
    {JobStatus.IN_PROGRESS, JobStatus.CANCELED, JobStatus.FAILED}
)
"""What writes seldom make of a job."""

_USUAL: Final = 1
_WANTED: Final = 3
_RARE: Final = 8


def weight(verb: str, asked: Any, jobs: Mapping[str, Job]) -> int:
    """How many times as often this call is to meet a fault as those of idle pollers."""
    if _is_rare(verb, asked, jobs):
        return _RARE
    return _WANTED if verb in _WRITERS or (verb == "renew" and asked) else _USUAL


def _is_rare(verb: str, asked: Any, jobs: Mapping[str, Job]) -> bool:
    """Whether a call seems to bring what seldom happens to a job."""
    match verb:
        case "claim":
            return any(
                job.status is JobStatus.QUEUED and job.limit_key is not None
                for job in jobs.values()
            )
        case "lift":
            return any(job.status is JobStatus.HELD for job in jobs.values())
        case "delete":
            return bool(asked.ids)
        case "fire":
            return bool(asked.jobs)
        case "apply":
            return any(_is_rare_write(each, jobs.get(each.job_id)) for each in asked)
    return False


def _is_rare_write(write: Transition, job: Job | None) -> bool:
    again = job is not None and job.status in TERMINAL
    released = write.outcome is Outcome.RELEASED
    return again or released or write.status in _RARE_STATUSES
