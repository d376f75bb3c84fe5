"""What a manager finds wrong, with the help of a store or without."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import pytest

from jobcore import (
    Claim,
    ClaimRequest,
    ClaimResult,
    DefaultJobManager,
    Examinable,
    Fault,
    Finding,
    InMemoryJobStore,
    JobcoreConfig,
    JobRequest,
    Renewal,
    Severity,
    StoreUnavailableError,
    WorkerRecord,
)
from jobcore.faults import FAULTS, SLOW_CLAIMS, THIN_LEASE, UNAVAILABLE
from jobcore.wrappers import PartitionedStore
from tests.jobcore.faults import FaultyStore, PlainStore

pytestmark = pytest.mark.anyio

A = TypeVar("A")

MILLISECOND = timedelta(milliseconds=1)
SHORT = JobcoreConfig(job_claim_timeout=300 * MILLISECOND)


class SlowStore(InMemoryJobStore):
    """Takes its time to claim, and to renew."""

    claims_for: timedelta = timedelta(0)
    renews_for: timedelta = timedelta(0)

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        await asyncio.sleep(self.claims_for.total_seconds())
        return await super().claim(request)

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        await asyncio.sleep(self.renews_for.total_seconds())
        return await super().renew(claims, lease)


class ExaminedStore(InMemoryJobStore, Examinable):
    """Has a server with something wrong."""

    found = (
        Finding(Fault(code="a", severity=Severity.ADVICE, sentence="A.", remedy="")),
        Finding(Fault(code="b", severity=Severity.PROBLEM, sentence="B.", remedy="")),
    )

    async def examine(self) -> list[Finding]:
        return list(self.found)


def codes(findings: Sequence[Finding]) -> list[str]:
    return [each.code for each in findings]


async def test_slow_claims_are_found() -> None:
    store = SlowStore()
    async with store, DefaultJobManager(store) as jobs:
        assert await jobs.examine() == []
        store.claims_for = 110 * MILLISECOND
        (finding,) = await jobs.examine()
    assert finding.fault is SLOW_CLAIMS
    assert "more than 100.0 ms" in finding.sentence


async def test_one_slow_claim_is_none() -> None:
    store = FaultyStore()
    gate = store.gate("claim")
    async with store, DefaultJobManager(store) as jobs:
        examination = asyncio.create_task(jobs.examine())
        await gate.reached.wait()
        await asyncio.sleep(0.12)
        gate.opened.set()
        assert await examination == []


async def test_a_lease_that_is_short_for_its_renewals_is_found() -> None:
    store = SlowStore()
    store.renews_for = 31 * MILLISECOND
    async with store, DefaultJobManager(store) as jobs:
        assert await jobs.examine() == []
    async with store, DefaultJobManager(store, SHORT) as jobs:
        (finding,) = await jobs.examine()
    assert finding.fault is THIN_LEASE
    assert "a lease lasts 300.0 ms" in finding.sentence


async def test_a_store_that_is_not_to_be_had_is_a_finding_at_once() -> None:
    store = FaultyStore()
    store.fail("claim", StoreUnavailableError("it is down"))
    async with store, DefaultJobManager(store) as jobs:
        (finding,) = await jobs.examine()
        assert finding.fault is UNAVAILABLE
        assert "it is down" in finding.sentence
        assert store.calls["claim"] == 1, "nothing is repeated"
        assert store.calls["renew"] == 0, "nor is there more to see"
        assert await jobs.examine() == []


async def test_problems_come_before_advice() -> None:
    async with ExaminedStore() as store, DefaultJobManager(store) as jobs:
        assert codes(await jobs.examine()) == ["b", "a"]


async def test_what_is_wrong_with_one_of_several_servers_names_it() -> None:
    stores = [ExaminedStore(), ExaminedStore()]
    async with PartitionedStore(stores) as store, DefaultJobManager(store) as jobs:
        sentences = {each.sentence for each in await jobs.examine()}
    assert sentences == {"store 0: A.", "store 0: B.", "store 1: A.", "store 1: B."}


async def test_a_store_without_abilities_is_examined_by_the_contract() -> None:
    async with PlainStore() as store, DefaultJobManager(store) as jobs:
        await jobs.submit(JobRequest("send"))
        assert await jobs.examine(thoroughly=True) == []


async def test_to_examine_changes_nothing() -> None:
    store = InMemoryJobStore()
    async with store, DefaultJobManager(store) as jobs:
        job = await jobs.submit(JobRequest("send"))
        await jobs.seen(WorkerRecord(id="w", queues=("default",), tasks=("send",)))
        before = await jobs.statistics()
        assert await jobs.examine(thoroughly=True) == []
        assert await jobs.statistics() == before
        assert await jobs.get(job) == job
        assert [each.id for each in await jobs.workers()] == ["w"]


def test_no_two_faults_share_a_code() -> None:
    assert len({each.code for each in FAULTS}) == len(FAULTS)
