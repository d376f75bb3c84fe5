"""Limits of time over all attempts of a job, and for the first of them to begin."""

from __future__ import annotations

from datetime import timedelta

from jobcore.job import Job


def time_left(job: Job) -> timedelta | None:
    """How long before its deadline the current attempt of *job* began."""
    if job.extra is None or (deadline := job.details.deadline) is None:
        return None
    return job.created_at + deadline - (job.started_at or job.created_at)


def is_expired(job: Job) -> bool:
    """Whether the first attempt of *job* began later than it was to."""
    if job.extra is None or (expires_in := job.details.expires_in) is None:
        return False
    began_at = job.started_at or job.due_at
    return job.attempt == 1 and began_at > job.due_at + expires_in
