"""Pruning leaves a store to others between its batches."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from jobcore import Filter, InMemoryJobStore, JobcoreConfig
from jobcore.calls import StoreCalls
from jobcore.pruning import prune

pytestmark = pytest.mark.anyio

SLOW = 0.02


class _SlowStore(InMemoryJobStore):
    """Says that each of its first batches was full."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.calls: list[tuple[float, float]] = []
        self._batches = batches

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002, ARG002 - the contract's
        now = asyncio.get_running_loop().time
        began_at = now()
        await asyncio.sleep(SLOW)
        self.calls.append((began_at, now()))
        return limit if len(self.calls) <= self._batches else 0


async def test_it_rests_after_a_batch_for_as_long_as_that_took() -> None:
    store, calls = _SlowStore(batches=3), StoreCalls(timedelta(0))
    config = JobcoreConfig(retention_failed=None, retention_canceled=None)
    calls.open()
    async with store:
        assert await prune(store, calls, config) == 3 * 500
    await calls.close()
    assert len(store.calls) == 4
    ended = [end for _, end in store.calls]
    following = [begin for begin, _ in store.calls[1:]]
    rests = [begin - end for begin, end in zip(following, ended, strict=False)]
    assert min(rests) >= SLOW
