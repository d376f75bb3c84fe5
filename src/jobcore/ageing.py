"""Ageing: jobs that wait for long become more urgent, so that none starves."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from jobcore import lifecycle
from jobcore.errors import TransitionError
from jobcore.job import Job, JobStatus, Priority
from jobcore.lifecycle import JobEvent
from jobcore.query import Filter
from jobcore.transition import Transition

_STEP: Final = Priority.LOW - Priority.NORMAL
_MOST_URGENT: Final = Priority.CRITICAL


def waiting_for(span: timedelta) -> Filter:
    """The queued jobs that have waited for *span*."""
    return Filter(statuses=frozenset({JobStatus.QUEUED}), due_for=span)


def aged(job: Job) -> Transition:
    """The write that makes *job* more urgent by the distance of two presets, up to the
    most urgent one; TransitionError where it is that."""
    if job.priority <= _MOST_URGENT:
        raise TransitionError(job.status, JobEvent.MOVE)
    priority = max(job.priority - _STEP, _MOST_URGENT)
    return lifecycle.move(job, {"priority": priority})
