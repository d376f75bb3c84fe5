"""Deleting finished jobs that are older than their retention."""

from __future__ import annotations

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
    deleted, total = _BATCH, 0
    while deleted == _BATCH:
        deleted = await calls.call(lambda: store.delete(old, _BATCH))
        total += deleted
    return total
