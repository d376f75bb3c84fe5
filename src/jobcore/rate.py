"""The pace of a limit key: a generic cell rate (ITU-T I.371) in two instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jobcore.job import Limit

_EVER = datetime.min.replace(tzinfo=UTC) + timedelta(days=366)
_FURTHEST = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Pace:
    """When the next job of a key may start.

    `enforced_at` moves with every start and is what decides. `reserved_at` moves with
    every reservation and spreads the jobs that may not start yet, so that they do not
    all come back at one instant. Nothing is reserved further ahead than a century, and
    one step.
    """

    enforced_at: datetime = _EVER
    reserved_at: datetime = _EVER

    def may_start(self, limit: Limit, now: datetime) -> bool:
        """Whether a job may start now; always, where *limit* has no rate."""
        if limit.rate is None:
            return True
        step = _step(limit)
        ahead = max(self.enforced_at, now) + step - now
        return ahead <= limit.burst * step

    def started(self, limit: Limit, now: datetime) -> Pace:
        """The pace after a start."""
        if limit.rate is None:
            return self
        return Pace(max(self.enforced_at, now) + _step(limit), self.reserved_at)

    def reserved(self, limit: Limit, now: datetime) -> tuple[Pace, datetime]:
        """The pace after a reservation, and the instant that was reserved."""
        step = _step(limit)
        earliest = min(max(self.reserved_at, self.enforced_at, now), now + _FURTHEST)
        instant = max(now, earliest + step - limit.burst * step)
        return Pace(self.enforced_at, earliest + step), instant

    def has_reserved(self, limit: Limit, instant: datetime) -> bool:
        """Whether *instant* is one of those that were reserved by these figures, each a
        step before the next, up to now."""
        step = _step(limit)
        if limit.rate is None or not step:
            return False
        before = self.reserved_at - limit.burst * step - instant
        return before >= timedelta(0) and not before % step


def _step(limit: Limit) -> timedelta:
    return limit.period / (limit.rate or 1)
