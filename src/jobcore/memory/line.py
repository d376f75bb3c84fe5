"""A line of jobs in the order of claims."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final

from jobcore.job import Job

_END: Final = datetime.max.replace(tzinfo=UTC), ""
"""A place behind all others."""

Stands = Callable[[int, datetime, str], bool]
"""Whether a job of this priority, due time and id is still where it lined up."""


class Lines(dict[str, "Line"]):
    """Lines by name, each made when it is first wanted."""

    def __init__(self, stands: Callable[[str], Stands]) -> None:
        super().__init__()
        self._stands = stands

    def __missing__(self, name: str) -> Line:
        line = self[name] = Line(self._stands(name))
        return line


class Line:
    """Jobs by priority, due time and id. They leave without notice: a place that no
    longer *stands* is dropped when it comes to the front."""

    def __init__(self, stands: Stands) -> None:
        self._stands = stands
        self._levels: dict[int, _Level] = {}

    def join(self, job: Job) -> None:
        level = self._levels.get(job.priority)
        if level is None:
            level = self._levels[job.priority] = _Level()
        level.add((job.due_at, job.id))

    def take(self) -> Iterator[str]:
        """The ids from the front on; each leaves the line when it is yielded."""
        for priority in sorted(self._levels):
            level = self._levels[priority]
            while place := level.first():
                level.leave()
                if self._stands(priority, *place):
                    yield place[1]
            del self._levels[priority]

    def before(self, job: Job) -> Iterator[str]:
        """The ids of those that stand before *job*, which stands here."""
        for priority in sorted(self._levels):
            if priority > job.priority:
                return
            end = (job.due_at, job.id) if priority == job.priority else _END
            passed = set[str]()
            for place in self._levels[priority].before(end):
                # Who has come back to an old place has two that stand.
                if place[1] not in passed and self._stands(priority, *place):
                    passed.add(place[1])
                    yield place[1]

    def oldest_due_at(self) -> datetime | None:
        fronts = [self._front(priority) for priority in self._levels]
        return min((front[0] for front in fronts if front), default=None)

    def _front(self, priority: int) -> tuple[datetime, str] | None:
        level = self._levels[priority]
        while (place := level.first()) and not self._stands(priority, *place):
            level.leave()
        return place


class _Level:
    """Jobs of one priority. Nearly all come in order, and just stand behind each other;
    the others are in a heap beside."""

    def __init__(self) -> None:
        self._ordered: deque[tuple[datetime, str]] = deque()
        self._late: list[tuple[datetime, str]] = []

    def add(self, place: tuple[datetime, str]) -> None:
        if self._ordered and place < self._ordered[-1]:
            heapq.heappush(self._late, place)
        else:
            self._ordered.append(place)

    def first(self) -> tuple[datetime, str] | None:
        if self._is_late_first():
            return self._late[0]
        return self._ordered[0] if self._ordered else None

    def before(self, end: tuple[datetime, str]) -> Iterator[tuple[datetime, str]]:
        """All places before *end*, in no order."""
        yield from takewhile(lambda place: place < end, self._ordered)
        yield from (place for place in self._late if place < end)

    def leave(self) -> None:
        """Take away the first."""
        if self._is_late_first():
            heapq.heappop(self._late)
        else:
            self._ordered.popleft()

    def _is_late_first(self) -> bool:
        if not self._late:
            return False
        return not self._ordered or self._late[0] < self._ordered[0]
