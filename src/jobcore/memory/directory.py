"""Which workers live, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from jobcore.abilities import WorkerDirectory, WorkerRecord


class InMemoryWorkerDirectory(WorkerDirectory):
    """Keeps workers and duties by the clock of the store it belongs to."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._workers: dict[str, tuple[WorkerRecord, datetime]] = {}
        self._duties: dict[str, datetime] = {}

    async def seen(self, worker: WorkerRecord, expires_in: timedelta) -> None:
        now = self._now()
        self._workers[worker.id] = replace(worker, seen_at=now), now + expires_in

    async def gone(self, worker_id: str) -> None:
        self._workers.pop(worker_id, None)

    async def workers(self) -> list[WorkerRecord]:
        now = self._now()
        self._workers = {
            name: each for name, each in self._workers.items() if each[1] > now
        }
        return [self._workers[name][0] for name in sorted(self._workers)]

    async def turn(self, duty: str, interval: timedelta) -> bool:
        now = self._now()
        due_at = self._duties.get(duty)
        if due_at is not None and now < due_at <= now + interval:
            return False
        self._duties[duty] = now + interval
        return True
