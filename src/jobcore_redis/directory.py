"""Which workers live, and whose turn a duty is: kept in the first partition."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import attrgetter

from pydantic_core import from_json, to_json

from jobcore import WorkerRecord
from jobcore_redis.calls import Calls
from jobcore_redis.parts import Parts
from jobcore_redis.problems import reading
from jobcore_redis.units import instant, microseconds


class Directory:
    """Asks the first of *parts*."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def seen(self, worker: WorkerRecord, expires_in: timedelta) -> None:
        names = ("queues", "tasks", "concurrency", "version")
        record = to_json({name: getattr(worker, name) for name in names})
        await self._calls.timed("seen", microseconds(expires_in), worker.id, record)

    async def gone(self, worker_id: str) -> None:
        await self._calls.call("gone", worker_id)

    async def workers(self) -> list[WorkerRecord]:
        at, told = await self._calls.timed("workers")
        found = [
            _record(worker_id, text)
            for worker_id, text in zip(told[::2], told[1::2], strict=True)
            if text[:16] > at
        ]
        return sorted(found, key=attrgetter("id"))

    async def turn(self, duty: str, interval: timedelta) -> bool:
        return bool(await self._calls.timed("turn", duty, microseconds(interval)))

    async def now(self) -> datetime:
        """The store's clock."""
        at, _ = await self._calls.timed("workers")
        return instant(at)

    @property
    def _calls(self) -> Calls:
        return self._parts.all[0].calls


@reading()
def _record(worker_id: bytes, text: bytes) -> WorkerRecord:
    told = from_json(text[32:])
    return WorkerRecord(
        id=worker_id.decode(),
        queues=tuple(told["queues"]),
        tasks=tuple(told["tasks"]),
        concurrency=told["concurrency"],
        version=told["version"],
        seen_at=instant(text[16:32]),
    )
