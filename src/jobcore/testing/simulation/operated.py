"""The invariant of what operators do, and handlers note: S14, that it is no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from jobcore.details import Details
from jobcore.job import Job, JobStatus
from jobcore.lifecycle import APPROVAL
from jobcore.testing.simulation.history import Change, Event, History
from jobcore.testing.simulation.safety import Finding, time_of

_CHANGED: Final = {
    Event.MOVE: ("queue", "priority", "extra"),
    Event.APPROVE: ("status", "held_by", "extra"),
    Event.NOTE: ("extra",),
}
"""The fields that change with an event that changes little."""


def s14_little_changes(history: History) -> Iterator[Finding]:
    """A move changes queue and priority alone, a note what the job carries, and an
    approval lets go what waits for one, which nothing else does. Whose act it was may
    be left on the job."""
    for call, change in history.changes():
        problem = _problem(change)
        if problem is not None:
            yield Finding(time_of(call), change.job_id, problem)


def _problem(change: Change) -> str | None:
    before, after, event = change.before, change.after, change.event
    if before is None or after is None:
        return None
    awaited = before.status is JobStatus.HELD and before.held_by == APPROVAL
    if event is Event.APPROVE and not awaited:
        return f"was approved though {before.held_by} holds it"
    stays = after.status is JobStatus.HELD or event in {Event.APPROVE, Event.CANCEL}
    if awaited and not stays:
        return f"was let go by {event} though nobody approved"
    names = _CHANGED.get(event)
    if names is None:
        return None
    expected = before.changed({name: getattr(after, name) for name in names})
    carries = event is Event.NOTE or _carried(before) == _carried(after)
    return None if expected == after and carries else f"changed more than by {event}"


def _carried(job: Job) -> Details:
    return job.details.changed(acts=())
