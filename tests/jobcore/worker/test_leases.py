"""What no renewal confirms is treated as lost before somebody else may have it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from jobcore import (
    Claim,
    DefaultJobManager,
    InMemoryJobStore,
    JobcoreConfig,
    Renewal,
    WorkerRecord,
)
from jobcore.testing import a_claim
from jobcore.worker.leases import Leases
from jobcore.worker.run import Interruption

pytestmark = pytest.mark.anyio

LEASE = 6.0
CONFIG = JobcoreConfig(job_claim_timeout=timedelta(seconds=LEASE))

Interrupted = asyncio.Queue[tuple[Claim, Interruption]]


class SlowStore(InMemoryJobStore):
    """Answers renewals only once it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        self.asked.set()
        await self.go_on.wait()
        return await super().renew(claims, lease)


@pytest.fixture
async def store() -> AsyncIterator[SlowStore]:
    async with SlowStore() as store:
        yield store


@asynccontextmanager
async def kept(leases: Leases, store: SlowStore) -> AsyncIterator[None]:
    keeping = asyncio.create_task(leases.run())
    try:
        yield
    finally:
        store.go_on.set()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_a_claim_that_stays_unconfirmed_is_lost_before_its_lease_ends(
    store: SlowStore,
) -> None:
    interrupted: Interrupted = asyncio.Queue()
    async with DefaultJobManager(store, CONFIG) as jobs:
        leases = Leases(
            jobs,
            lambda: WorkerRecord(id="worker"),
            lambda *told: interrupted.put_nowait(told),
        )
        now = asyncio.get_running_loop().time()
        old, young = await a_claim(store), await a_claim(store)
        leases.add([old], now - LEASE * 0.85)
        leases.add([young], now - LEASE * 0.5)
        async with kept(leases, store):
            await store.asked.wait()
            told = await asyncio.wait_for(interrupted.get(), LEASE / 3)
            assert told == (old, Interruption.LOST)
            assert asyncio.get_running_loop().time() < now + LEASE * 0.15
            assert len(leases) == 1
        assert interrupted.empty()


async def test_a_lease_counts_from_before_its_renewal_was_sent(
    store: SlowStore,
) -> None:
    """The store may have extended it at once, and answered late."""
    clock = asyncio.get_running_loop().time
    async with DefaultJobManager(store, CONFIG) as jobs:
        leases = Leases(jobs, lambda: WorkerRecord(id="worker"), lambda *_: None)
        claim, added_at = await a_claim(store), clock()
        leases.add([claim], added_at)
        async with kept(leases, store):
            await store.asked.wait()
            asked_at = clock()
            store.go_on.set()
            while leases.renewed_at < added_at:  # noqa: ASYNC110 - it has nobody to tell
                await asyncio.sleep(0)
            assert added_at <= leases._confirmed_at[claim.token] <= asked_at
