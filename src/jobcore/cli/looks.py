"""Looks at a store: what is seen at one moment, and how fast it goes since another."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from jobcore.abilities import WorkerRecord
from jobcore.cli.printing import Sheet
from jobcore.cli.times import shown_age
from jobcore.errors import UnsupportedError
from jobcore.job import TERMINAL, Job, JobStatus
from jobcore.manager import JobManager
from jobcore.query import Filter, QueueStatistics, Statistics

_FAILED: Final = Filter(statuses=frozenset({JobStatus.FAILED}))
_MOST: Final = 200
"""How many failed jobs are looked at, the latest."""
_COUNTED: Final = tuple(
    each for each in JobStatus if each not in TERMINAL or each is JobStatus.FAILED
)
_NONE: Final = QueueStatistics({})


@dataclass(frozen=True)
class Look:
    """What is seen at one moment, which is the loop's *time*."""

    time: float
    statistics: Statistics
    workers: list[WorkerRecord]
    failed: tuple[Job[Any], ...]

    def queue_sheet(self, earlier: Look | None) -> Sheet:
        """A row for each queue: how many jobs it has by status, how many have finished
        in each second since an *earlier* look, and for how long the oldest that is
        queued has been due. Jobs that were deleted meanwhile are not seen to finish."""
        rows = [
            (
                name,
                *(str(each.counts.get(status, 0)) for status in _COUNTED),
                "" if earlier is None else f"{self._rate(name, earlier):.1f}",
                shown_age(each.oldest_due_at),
            )
            for name, each in sorted(self.statistics.queues.items())
        ]
        return Sheet(("queue", *_COUNTED, "finished/s", "oldest"), rows)

    def worker_sheet(self) -> Sheet:
        """A row for each worker that lives."""
        rows = [
            (
                each.id,
                ", ".join(each.queues),
                str(each.concurrency),
                shown_age(each.seen_at),
            )
            for each in self.workers
        ]
        return Sheet(("worker", "queues", "concurrency", "seen"), rows)

    def failure_sheet(self) -> Sheet:
        """A row for each task of the latest jobs that failed, that with the most of
        them first, and how the latest one did."""
        by_task = defaultdict[str, list[Job[Any]]](list)
        for job in self.failed:
            by_task[job.task].append(job)
        rows = [
            (
                task,
                str(len(jobs)),
                shown_age(jobs[0].finished_at),
                str(jobs[0].failure or jobs[0].reason),
            )
            for task, jobs in sorted(by_task.items(), key=lambda each: -len(each[1]))
        ]
        return Sheet(("task", "failed", "latest", "error"), rows)

    def _rate(self, queue: str, earlier: Look) -> float:
        finished = self._finished(queue) - earlier._finished(queue)
        return max(finished, 0) / (self.time - earlier.time)

    def _finished(self, queue: str) -> int:
        counts = self.statistics.queues.get(queue, _NONE).counts
        return sum(counts.get(status, 0) for status in TERMINAL)


async def look(manager: JobManager) -> Look:
    """What is seen now."""
    try:
        workers = await manager.workers()
    except UnsupportedError:
        workers = []
    failed = (await manager.find(_FAILED, limit=_MOST)).jobs
    statistics = await manager.statistics()
    return Look(asyncio.get_running_loop().time(), statistics, workers, failed)
