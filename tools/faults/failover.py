"""What a failover may have taken back: the last writes before it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.faults.evidence import Evidence
from tools.faults.journal import Event, Line

_LATE: Final = 0.5
"""Seconds that may pass until an answer of the dead server is read and noted."""


def seconds_before(evidence: Evidence, at: float) -> float | None:
    """How long before a failover *at* is, if what was written then may be lost."""
    struck = evidence.struck
    for failed_at in struck.failed_over_at:
        if -_LATE <= failed_at - at <= struck.forgets:
            return failed_at - at
    return None


def forgotten(evidence: Evidence) -> Iterator[float]:
    """How long before a failover each job was submitted that is not known any more."""
    for job_id, at in evidence.submitted.items():
        seconds = seconds_before(evidence, at)
        if job_id not in evidence.jobs and seconds is not None:
            yield seconds


def is_forgotten(evidence: Evidence, start: Line) -> bool:
    """Whether the claim of a run that began so may be lost, or the end of the claim."""
    of_job = [each for each in evidence.journal if each.job_id == start.job_id]
    claims = [
        each for each in of_job if each.event is Event.CLAIMED and each.at <= start.at
    ]
    if not claims:
        return False
    claim = max(claims, key=lambda line: line.at)
    ends = [
        each
        for each in of_job
        if each.event is Event.ACCEPTED and each.token == claim.token
    ]
    return seconds_before(evidence, (ends or [claim])[0].at) is not None
