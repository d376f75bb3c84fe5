"""Deleting finished jobs that have had their time, or are too many."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import NamedTuple

from jobcore.calls import StoreCalls
from jobcore.config import JobcoreConfig
from jobcore.job import TERMINAL, JobStatus
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.sweeping import Archive, Sweep

_logger = logging.getLogger("jobcore.manager")


class _Due(NamedTuple):
    """Jobs of which the oldest *most* are to be deleted (all for None), so that *kept*
    are left."""

    filter: Filter
    most: int | None = None
    kept: int = 0


class Pruning:
    """Deletes what the retention of the configuration says, to the *archive* first."""

    def __init__(
        self,
        store: JobStore,
        calls: StoreCalls,
        config: JobcoreConfig,
        archive: Archive | None = None,
    ) -> None:
        self._store = store
        self._calls = calls
        self._config = config
        self._archive = archive

    async def prune(self) -> int:
        """Delete in small batches, and say how many that were."""
        pruned = 0
        for due in await self._too_old():
            pruned += await self._delete(due)
        for due in await self._too_many():
            pruned += await self._delete(due)
        return pruned

    async def _too_old(self) -> list[_Due]:
        queues: list[str | None] = [None]
        if self._config.retention:
            queues = [*(await self._calls.call(self._store.statistics)).queues]
        return [
            _Due(_finished(status, queue, age))
            for queue in queues
            for status in sorted(TERMINAL)
            if (age := self._config.retention_of(status, queue).age) is not None
        ]

    async def _too_many(self) -> list[_Due]:
        if not self._config.retention:
            return []
        statistics = await self._calls.call(self._store.statistics)
        due: list[_Due] = []
        for queue in statistics.queues:
            for status in sorted(TERMINAL):
                kept = self._config.retention_of(status, queue).most
                excess = statistics.count(status, queue) - (kept or 0)
                if kept is not None and excess > 0:
                    crowd = _finished(status, queue, timedelta(0))
                    due.append(_Due(crowd, excess, kept))
        return due

    async def _delete(self, due: _Due) -> int:
        sweep = Sweep(self._store, self._calls, due.filter)
        if self._archive is None:
            return await sweep.delete(due.most)
        try:
            return await sweep.drain(due.kept, self._archive)
        except Exception:  # whatever the host's archive raises
            _logger.exception("prune: the archive failed")
            return 0


def _finished(status: JobStatus, queue: str | None, age: timedelta) -> Filter:
    return Filter(statuses=frozenset({status}), queue=queue, finished_for=age)
