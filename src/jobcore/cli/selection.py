"""Which jobs a command is about: options that become a filter."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Annotated

from cyclopts import Parameter

from jobcore.cli.mistakes import MistakeError
from jobcore.job import JobStatus
from jobcore.query import Filter

Statuses = Annotated[tuple[JobStatus, ...], Parameter(name="--status")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Selection:
    """What jobs have in common."""

    statuses: Statuses = ()
    """Jobs that have this status; may be said again."""
    queue: str | None = None
    """Jobs of this queue."""
    task: str | None = None
    """Jobs of this task."""
    label: tuple[str, ...] = ()
    """Jobs with this label, as NAME=VALUE; may be said again."""
    due_for: timedelta | None = None
    """Jobs that have been due for so long, as in 30m."""
    finished_for: timedelta | None = None
    """Jobs that have been finished for so long, as in 7d."""

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing, so that all jobs are meant."""
        return all(getattr(self, each.name) in {None, ()} for each in fields(self))

    def filter(self, ids: tuple[str, ...] = ()) -> Filter:
        """The filter for it, among the jobs with these *ids* if there are any."""
        return Filter(
            ids=ids or None,
            statuses=frozenset(self.statuses) or None,
            queue=self.queue,
            task=self.task,
            labels=dict(map(_label, self.label)),
            due_for=self.due_for,
            finished_for=self.finished_for,
        )


ALL = Selection()


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise MistakeError("--label", f"must be NAME=VALUE, not {text!r}")
    return name, value
