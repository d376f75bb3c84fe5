"""When recurring work is due: by the calendar or at an interval, and what of it counts
when nobody was there in time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from jobcore import checks, cron
from jobcore.errors import InvalidJobError


class Overlap(StrEnum):
    """What becomes of a tick while the job of an earlier one is not finished."""

    ALLOW = "allow"
    """Its job runs beside the other."""
    SKIP = "skip"
    """It makes no job. This takes the unique key of the schedule's jobs."""
    WAIT = "wait"
    """Its job is held until the other has ended. This takes their limit key."""


@dataclass(frozen=True, slots=True)
class Misfire:
    """Which of the ticks that were missed still make a job: the latest *most* of those
    that are no older than *window*, or of all where that is None."""

    window: timedelta | None = None
    most: int = 1

    ONCE: ClassVar[Misfire]
    """One job for all that was missed."""
    SKIP: ClassVar[Misfire]
    """None."""
    ALL: ClassVar[Misfire]
    """A job for each, up to a thousand."""

    def __post_init__(self) -> None:
        if self.window is not None:
            checks.check_delay("misfire window", self.window)
        checks.check_integer("misfire most", self.most, 1, MOST_MISSED)

    @classmethod
    def within(cls, window: timedelta) -> Misfire:
        """One job, for the latest tick if it is no older than *window*."""
        return cls(window)


MOST_MISSED: Final = 1000
Misfire.ONCE = Misfire()
Misfire.SKIP = Misfire(timedelta(0))
Misfire.ALL = Misfire(None, MOST_MISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence(ABC):
    """A rule for instants that recur, its ticks, each of which is to make a job.

    There are none before `start_at` nor from `end_at` on, and `max_runs` of them make
    a job at most. Each job is due up to `jitter` after its tick, by an amount that is
    drawn once.
    """

    start_at: datetime | None = None
    end_at: datetime | None = None
    max_runs: int | None = None
    jitter: timedelta = timedelta(0)
    misfire: Misfire = Misfire.ONCE
    overlap: Overlap = Overlap.ALLOW

    def __post_init__(self) -> None:
        for name in ("start_at", "end_at"):
            if (instant := getattr(self, name)) is not None:
                object.__setattr__(self, name, checks.check_instant(name, instant))
        if self.start_at and self.end_at and self.start_at >= self.end_at:
            raise InvalidJobError("end_at", "must be after start_at")
        if self.max_runs is not None:
            checks.check_integer("max_runs", self.max_runs, 1, 2**31 - 1)
        checks.check_delay("jitter", self.jitter)

    def ticks(self, after: datetime, since: datetime) -> Iterator[datetime]:
        """The ticks after an instant, ascending, in UTC; *since* is when the schedule
        was made."""
        if self.start_at is not None:
            after = max(after, self.start_at - timedelta(microseconds=1))
        for tick in self._ticks(after, self.start_at or since):
            if tick >= checks.LATEST or (self.end_at and tick >= self.end_at):
                return
            yield tick

    @abstractmethod
    def _ticks(self, after: datetime, since: datetime) -> Iterator[datetime]:
        """The same, whatever start and end are."""


@dataclass(frozen=True, slots=True)
class Cron(Recurrence):
    """By five fields: minute, hour, day of the month, month, day of the week, as cron
    has them, or by a name such as `@daily`; in the time of *zone*, an IANA name.

    Where the clocks change, hours that are named tick once on each local day: what
    would fall into the hour that is left out comes as soon as that has passed, and what
    falls into the one that comes twice comes the first time. Expressions whose minute
    or hour begins with `*` tick by the time that passes instead, so that each hour is
    like any other.
    """

    expression: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        super(Cron, self).__post_init__()
        cron.check(self.expression)
        cron.zone_of(self.zone)

    def _ticks(self, after: datetime, since: datetime) -> Iterator[datetime]:  # noqa: ARG002 - the calendar knows no beginning
        return cron.ticks(self.expression, self.zone, after)


@dataclass(frozen=True, slots=True)
class Every(Recurrence):
    """At an interval of a second or more, counted from `start_at`, else from when the
    schedule was made, whatever the clocks of a zone do."""

    interval: timedelta

    def __post_init__(self) -> None:
        super(Every, self).__post_init__()
        if checks.check_length("interval", self.interval) < timedelta(seconds=1):
            raise InvalidJobError("interval", "must be a second or more")

    def _ticks(self, after: datetime, since: datetime) -> Iterator[datetime]:
        first = 0 if self.start_at is not None else 1
        number = max(first, (after - since) // self.interval + 1)
        while since <= checks.LATEST - number * self.interval:
            yield since + number * self.interval
            number += 1
