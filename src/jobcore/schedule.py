"""A schedule: recurring work under a name, where it stands, and what becomes of it when
ticks have come."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice, takewhile
from random import Random
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from jobcore.recurrence import MOST_MISSED, Cron, Every
from jobcore.request import JobRequest, SubmitOptions

_LATE: Final = timedelta(seconds=60)
"""How old a tick may be that was not missed, as it takes a moment to look."""


class Schedule(BaseModel):
    """Recurring work as its store knew it at one moment; it never changes.

    `due_at` is its next tick, None where there is none: it has ended, or is `paused`.
    `runs` counts the ticks that made a job, of which `last_at` was the last. It is
    `orphaned` while no worker has its task, and `declared` where the task's code says
    when it recurs.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="allow")

    name: str
    task: str
    arguments: dict[str, Any]
    options: SubmitOptions
    recurrence: Cron | Every
    declared: bool = False

    created_at: datetime
    due_at: datetime | None = None
    last_at: datetime | None = None
    runs: int = 0
    paused: bool = False
    orphaned: bool = False

    @property
    def request(self) -> JobRequest[Any]:
        """What is submitted for each tick."""
        return JobRequest(self.task, self.arguments, self.options)

    def upcoming(self, number: int = 5) -> list[datetime]:
        """Its next ticks, if all goes well; none while it is paused."""
        if self.due_at is None:
            return []
        left = number
        if self.recurrence.max_runs is not None:
            left = min(number, self.recurrence.max_runs - self.runs)
        later = self.recurrence.ticks(self.due_at, self.created_at)
        return [self.due_at, *islice(later, max(left - 1, 0))]

    def due_for(self, tick: datetime) -> datetime:
        """When the job of *tick* is due: the same whoever asks."""
        jitter = self.recurrence.jitter
        seed = sha256(f"{self.name} {tick.isoformat()}".encode()).digest()
        return tick + jitter * Random(seed).random() if jitter else tick  # noqa: S311 - it only spreads

    def changed(self, **fields: Any) -> Schedule:
        """The same but for these *fields*."""
        return self.model_copy(update=fields)

    def resumed(self, now: datetime) -> Schedule:
        """The schedule with its first tick after *now*, unless it is paused; none that
        was before, should the clock have been set back."""
        most = self.recurrence.max_runs
        none = self.paused or (most is not None and self.runs >= most)
        last_at = self.last_at or now
        ticks = self.recurrence.ticks(max(now, last_at), self.created_at)
        return self.changed(due_at=None if none else next(ticks, None))

    def succeeding(self, there: Schedule | None, now: datetime) -> Schedule:
        """What is told, in the place of what is *there*: what that has gone through
        stays, and its next tick as well where the rule is the same."""
        if there is None:
            return self.changed(created_at=now).resumed(now)
        state = ("created_at", "last_at", "runs", "paused", "orphaned", "due_at")
        same = self.changed(**{name: getattr(there, name) for name in state})
        return same if same.recurrence == there.recurrence else same.resumed(now)

    def fired(self, now: datetime) -> Firing:
        """What is to happen to a schedule that is due, as the store's clock shows
        *now*. As long as its oldest tick is not late, each counts, else those that its
        policy for misfires picks."""
        first, rule = self.due_at or now, self.recurrence
        if now - first <= _LATE:
            counted = tuple(self._latest(now, MOST_MISSED))
        else:
            latest = self._latest(now, rule.misfire.most)
            counted = tuple(tick for tick in latest if self._counts(tick, now, latest))
        left = None if rule.max_runs is None else rule.max_runs - self.runs
        ticks = counted[:left]
        last_at = ticks[-1] if ticks else self.last_at
        after = self.changed(runs=self.runs + len(ticks), last_at=last_at)
        return Firing(ticks, ticks[:1] != (first,), after.resumed(now))

    def _counts(
        self, tick: datetime, now: datetime, latest: Sequence[datetime]
    ) -> bool:
        window = self.recurrence.misfire.window
        if window is None or now - tick <= window:
            return True
        return tick == latest[-1] and now - tick <= _LATE

    def _latest(self, now: datetime, most: int) -> Sequence[datetime]:
        """The latest *most* of the ticks from `due_at` until *now*, ascending. It looks
        back ever farther, as there may be millions of them."""
        first, back = self.due_at or now, timedelta(hours=1)
        while True:
            begin = max(first - timedelta(microseconds=1), now - back)
            later = self.recurrence.ticks(begin, self.created_at)
            ticks = deque(takewhile(lambda tick: tick <= now, later), maxlen=most)
            if len(ticks) == most or begin < first:
                return ticks
            back *= 4


@dataclass(frozen=True, slots=True)
class Firing:
    """What follows from ticks that have come: those that make a job each, whether
    others make none, and what the schedule becomes."""

    ticks: tuple[datetime, ...]
    skipped: bool
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Fired:
    """How many jobs were made of ticks, and how long it is until the next schedule is
    due (None: none waits, zero: more are due already)."""

    jobs: int = 0
    next_due_in: timedelta | None = None
