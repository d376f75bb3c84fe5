"""Deleting finished jobs that are older than their retention."""

from __future__ import annotations

import asyncio
from typing import Final

from jobcore.calls import StoreCalls
from jobcore.config import JobcoreConfig
from jobcore.job import JobStatus
from jobcore.query import Filter
from jobcore.store import JobStore

_BATCH: Final = 500
"""So few at a time that no claim waits long behind a batch."""


async def prune(store: JobStore, calls: StoreCalls, config: JobcoreConfig) -> int:
    """Delete what has had its time, in small batches, and say how many."""
    retention = {
        JobStatus.COMPLETED: config.retention_completed,
        JobStatus.FAILED: config.retention_failed,
        JobStatus.CANCELED: config.retention_canceled,
    }
    pruned = 0
    for status, age in retention.items():
        if age is not None:
            old = Filter(statuses=frozenset({status}), finished_for=age)
            pruned += await _delete_all(store, calls, old)
    return pruned


async def _delete_all(store: JobStore, calls: StoreCalls, old: Filter) -> int:
    """Rest after each batch for as long as it took: a store that lets one write at a
    time would else have none left for those who come by only now and then."""
    now, total = asyncio.get_running_loop().time, 0
    while True:
        began_at = now()
        deleted = await calls.call(lambda: store.delete(old, _BATCH))
        total += deleted
        if deleted < _BATCH:
            return total
        await asyncio.sleep(now() - began_at)
