"""A claim that nobody loses: repeated after an outage, given back if unwanted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from jobcore import (
    ClaimRequest,
    ClaimResult,
    DefaultJobManager,
    InTurn,
    InvalidJobError,
    JobcoreConfig,
    JobRequest,
    JobStatus,
    StoreError,
    StoreUnavailableError,
)
from tests.jobcore.faults import FaultyStore

pytestmark = pytest.mark.anyio

QUEUES = ("default",)


class WitnessStore(FaultyStore):
    """Remembers the claims it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[ClaimRequest] = []

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        self.requests.append(request)
        return await super().claim(request)


@pytest.fixture
async def store() -> WitnessStore:
    return WitnessStore()


async def submitted(jobs: DefaultJobManager, number: int) -> list[str]:
    many = await jobs.submit_many([JobRequest("greet")] * number)
    return [each.id for each in many]


async def count(jobs: DefaultJobManager, status: JobStatus) -> int:
    return (await jobs.statistics()).count(status)


async def test_a_claim_takes_no_more_than_it_asks_for(jobs: DefaultJobManager) -> None:
    ids = await submitted(jobs, 5)
    first = await jobs.claim("worker", QUEUES, 3)
    assert [claim.job_id for claim in first.claims] == ids[:3]
    second = await jobs.claim("worker", QUEUES, 3)
    assert [claim.job_id for claim in second.claims] == ids[3:]
    assert (await jobs.claim("worker", QUEUES, 3)).claims == ()
    assert len({claim.token for claim in (*first.claims, *second.claims)}) == 2


async def test_a_claim_is_for_the_worker_and_the_lease_of_the_configuration(
    jobs: DefaultJobManager, store: WitnessStore
) -> None:
    await submitted(jobs, 1)
    (claim,) = (await jobs.claim("worker-7", QUEUES, 1)).claims
    (request,) = store.requests
    assert (claim.job.worker, claim.job.attempt) == ("worker-7", 1)
    assert (request.lease, request.repeated) == (timedelta(hours=1), False)


async def test_the_scheduling_strategy_shapes_the_claims(store: WitnessStore) -> None:
    async with DefaultJobManager(store, scheduling=InTurn()) as jobs:
        for _ in range(2):
            await jobs.claim("worker", ("a", "b"), 1)
    assert [request.queues for request in store.requests] == [("a", "b"), ("b", "a")]


@pytest.mark.parametrize("limit", [0, -1, 10_001, 2**31, 2**63, True, 1.0, "5", None])
async def test_a_claim_of_an_odd_number_is_refused(
    jobs: DefaultJobManager, store: WitnessStore, limit: int
) -> None:
    with pytest.raises(InvalidJobError) as refused:
        await jobs.claim("worker", QUEUES, limit)
    assert refused.value.field == "limit"
    assert store.requests == []


@pytest.mark.parametrize("name", ["", "a b", "q}x{", "a\0", "\ud800", "x" * 65])
async def test_a_claim_with_an_odd_name_is_refused(
    jobs: DefaultJobManager, store: WitnessStore, name: str
) -> None:
    for worker, queues in ((name, QUEUES), ("worker", ("default", name))):
        with pytest.raises(InvalidJobError):
            await jobs.claim(worker, queues, 1)
    assert store.requests == []


async def test_a_claim_whose_reply_was_lost_brings_the_same_jobs(
    jobs: DefaultJobManager, store: WitnessStore
) -> None:
    ids = await submitted(jobs, 4)
    store.lose_reply("claim")
    result = await jobs.claim("worker", QUEUES, 2)
    assert [claim.job_id for claim in result.claims] == ids[:2]
    assert [each.repeated for each in store.requests] == [False, True]
    assert len({each.token for each in store.requests}) == 1
    assert await count(jobs, JobStatus.IN_PROGRESS) == 2
    assert {claim.job.attempt for claim in result.claims} == {1}


async def test_a_claim_is_repeated_only_while_its_lease_is_young(
    store: WitnessStore,
) -> None:
    config = JobcoreConfig(job_claim_timeout=timedelta(seconds=0.3))
    store.fail("claim", *[StoreUnavailableError("gone")] * 100)
    async with DefaultJobManager(store, config) as jobs:
        with pytest.raises(StoreUnavailableError):
            await jobs.claim("worker", QUEUES, 1)
    assert 1 < len(store.requests) < 100


async def test_what_a_claim_brings_after_its_caller_gave_up_is_released(
    jobs: DefaultJobManager, store: WitnessStore
) -> None:
    (job_id,) = await submitted(jobs, 1)
    gate = store.gate("claim")
    claiming = asyncio.create_task(jobs.claim("worker", QUEUES, 1))
    await gate.reached.wait()
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    gate.opened.set()
    await jobs.__aexit__(None, None, None)
    (job,) = await store.get([job_id], attempts=True)
    assert job is not None
    assert (job.status, job.attempt, job.failures) == (JobStatus.QUEUED, 1, 0)
    assert [str(each.outcome) for each in job.attempts] == ["released"]


@pytest.mark.parametrize("error", [None, StoreError("no")])
async def test_a_claim_that_brings_nothing_after_its_caller_gave_up_is_over(
    jobs: DefaultJobManager, store: WitnessStore, error: Exception | None
) -> None:
    if error is not None:
        store.fail("claim", error)
    gate = store.gate("claim")
    claiming = asyncio.create_task(jobs.claim("worker", QUEUES, 1))
    await gate.reached.wait()
    claiming.cancel()
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    await jobs.__aexit__(None, None, None)
    assert store.calls["apply"] == 0


async def test_a_caller_cancelled_as_its_claim_returns_leaves_nothing_claimed(
    jobs: DefaultJobManager, store: WitnessStore
) -> None:
    for pause in range(12):
        await submitted(jobs, 1)
        claiming = asyncio.create_task(jobs.claim("worker", QUEUES, 1))
        for _ in range(pause):
            await asyncio.sleep(0)
        claiming.cancel()
        (ended,) = await asyncio.gather(claiming, return_exceptions=True)
        if isinstance(ended, ClaimResult):
            for claim in ended.claims:
                await jobs.complete(claim)
    await jobs.__aexit__(None, None, None)
    assert (await store.statistics()).count(JobStatus.IN_PROGRESS) == 0
