"""A line of jobs in the order of claims."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime

from jobcore.job import Job


class Line:
    """Jobs by priority, due time and id. They leave without notice: a place that no
    longer *stands* is dropped when it comes to the front."""

    def __init__(self, stands: Callable[[datetime, str], bool]) -> None:
        self._stands = stands
        self._levels: dict[int, list[tuple[datetime, str]]] = {}

    def join(self, job: Job) -> None:
        level = self._levels.setdefault(job.priority, [])
        heapq.heappush(level, (job.due_at, job.id))

    def take(self) -> Iterator[str]:
        """The ids from the front on; each leaves the line when it is yielded."""
        for priority in sorted(self._levels):
            level = self._levels[priority]
            while level:
                due_at, job_id = heapq.heappop(level)
                if self._stands(due_at, job_id):
                    yield job_id
            del self._levels[priority]

    def oldest_due_at(self) -> datetime | None:
        fronts = [self._front(priority) for priority in self._levels]
        return min((front[0] for front in fronts if front), default=None)

    def _front(self, priority: int) -> tuple[datetime, str] | None:
        level = self._levels[priority]
        while level and not self._stands(*level[0]):
            heapq.heappop(level)
        return level[0] if level else None
