"""Deleting finished jobs that are older than their retention."""

from __future__ import annotations

from jobcore.calls import StoreCalls
from jobcore.config import JobcoreConfig
from jobcore.job import JobStatus
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.sweeping import Sweep


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
            pruned += await Sweep(store, calls, old).delete()
    return pruned
