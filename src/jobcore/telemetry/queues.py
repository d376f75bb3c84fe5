"""How full the queues are: looked at now and then, and told whenever somebody asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from jobcore.job import JobStatus
from jobcore.query import Statistics
from jobcore.telemetry import attributes as names

_logger = logging.getLogger("jobcore.telemetry")


@dataclass(frozen=True, slots=True)
class _Look:
    """What the *statistics* were *at* a time."""

    statistics: Statistics
    at: datetime


class Queues:
    """Depth and age of the queues, as they were at the latest look.

    Whoever collects metrics does so in a thread of its own, or in the event loop, where
    it cannot wait for a store. What could not be looked at is not told, so that it is
    seen to be missing. Ages are reckoned by the clock of this process.
    """

    def __init__(self, meter: Meter) -> None:
        self._looks: dict[object, _Look] = {}
        meter.create_observable_gauge(
            "jobcore.queue.depth", [self._depths], "{job}", "How many jobs there are"
        )
        meter.create_observable_gauge(
            "jobcore.queue.oldest_age",
            [self._ages],
            "s",
            "For how long the oldest queued job has been due",
        )

    async def watch(
        self, statistics: Callable[[], Awaitable[Statistics]], interval: timedelta
    ) -> None:
        """Look at every *interval* until cancelled."""
        key = object()
        try:
            while True:
                try:
                    looked = await statistics()
                    self._looks[key] = _Look(looked, datetime.now(UTC))
                except Exception as error:  # noqa: BLE001 - the next look may succeed
                    self._looks.pop(key, None)
                    _logger.warning("queues not looked at: %r", error)
                await asyncio.sleep(interval.total_seconds())
        finally:
            self._looks.pop(key, None)

    def _depths(self, _: CallbackOptions) -> Iterator[Observation]:
        for look in list(self._looks.values()):
            for queue, each in look.statistics.queues.items():
                for status in JobStatus:
                    attributes = {names.QUEUE: queue, names.STATUS: status.value}
                    yield Observation(each.counts.get(status, 0), attributes)

    def _ages(self, _: CallbackOptions) -> Iterator[Observation]:
        for look in list(self._looks.values()):
            for queue, each in look.statistics.queues.items():
                age = look.at - (each.oldest_due_at or look.at)
                yield Observation(max(0.0, age.total_seconds()), {names.QUEUE: queue})
