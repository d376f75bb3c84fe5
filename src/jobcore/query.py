"""Questions to a store: filters, pages and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jobcore.job import Job, JobStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What jobs must have in common; what is None is not asked, and no job is in an
    empty set.

    `labels` must all match. `due` asks for jobs whose due time has come, whatever their
    status, and `due_for` for those for which it came at least so long ago.
    `finished_for` asks for terminal jobs that ended at least so long ago.
    """

    ids: tuple[str, ...] | None = None
    statuses: frozenset[JobStatus] | None = None
    queue: str | None = None
    task: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    due: bool = False
    due_for: timedelta | None = None
    finished_for: timedelta | None = None

    def matches(self, job: Job, now: datetime) -> bool:
        """Whether *job* is meant, seen from the store's *now*."""
        return (
            (self.ids is None or job.id in self.ids)
            and (self.statuses is None or job.status in self.statuses)
            and (self.queue is None or job.queue == self.queue)
            and (self.task is None or job.task == self.task)
            and self.labels.items() <= job.labels.items()
            and (not self.due or job.due_at <= now)
            and (self.due_for is None or job.due_at <= now - self.due_for)
            and (self.finished_for is None or self._finished_before(job, now))
        )

    def _finished_before(self, job: Job, now: datetime) -> bool:
        age = self.finished_for
        return (
            age is not None
            and job.finished_at is not None
            and job.finished_at <= now - age
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs by descending id. A page may be short or empty and still have a *cursor*:
    pass it on for what follows; None says that this was the last page."""

    jobs: tuple[Job, ...] = ()
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """The jobs of one queue by status, and since when its oldest queued job is due."""

    counts: Mapping[JobStatus, int]
    oldest_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Exact counts of one moment; queues without jobs may be absent."""

    queues: Mapping[str, QueueStatistics] = field(
        default_factory=dict[str, QueueStatistics]
    )

    def count(self, status: JobStatus, queue: str | None = None) -> int:
        """How many jobs have *status*, in *queue* or in all."""
        return sum(
            each.counts.get(status, 0)
            for name, each in self.queues.items()
            if queue in {None, name}
        )
