"""Submitting: alone in batches with others, or many jobs in one call."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from jobcore import (
    DefaultJobManager,
    InvalidJobError,
    JobcoreConfig,
    JobRequest,
    JobStatus,
    Statistics,
    StoreError,
    StoreUnavailableError,
)
from tests.jobcore.faults import FaultyStore

pytestmark = pytest.mark.anyio


def a_request(**options: Any) -> JobRequest[Any]:
    return JobRequest("greet", options=options)  # type: ignore[arg-type]


async def test_submit_returns_the_job_as_it_is_stored(jobs: DefaultJobManager) -> None:
    job = await jobs.submit(JobRequest("greet", {"name": "Ada"}))
    assert job.status is JobStatus.QUEUED
    assert not job.is_duplicate
    assert (await jobs.get(job.id)).model_dump() == job.model_dump()


async def test_submits_at_a_time_share_round_trips(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    many = await asyncio.gather(*[jobs.submit(a_request()) for _ in range(2500)])
    assert len({job.id for job in many}) == 2500
    assert store.batches == [1000, 1000, 500]


async def test_a_submit_whose_reply_was_lost_stores_one_job(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    store.lose_reply("insert")
    job = await jobs.submit(a_request())
    assert store.calls["insert"] == 2
    assert [each.id for each in (await jobs.find()).jobs] == [job.id]


async def test_a_job_that_an_unanswered_try_created_is_no_duplicate(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    store.lose_reply("insert")
    job = await jobs.submit(a_request(), unique_key="key")
    assert not job.is_duplicate
    store.lose_reply("insert")
    many = await jobs.submit_many([a_request(), a_request()], unique_key="other")
    assert [each.is_duplicate for each in many] == [False, True]


async def test_a_submit_that_stays_unanswered_is_an_outage(store: FaultyStore) -> None:
    config = JobcoreConfig(store_retry_timeout=timedelta(milliseconds=1))
    store.fail("insert", *[StoreUnavailableError("gone")] * 100)
    async with DefaultJobManager(store, config) as jobs:
        with pytest.raises(StoreUnavailableError):
            await jobs.submit(a_request())
        store.failures.clear()
        assert await jobs.statistics() == Statistics()


async def test_a_submit_that_the_store_refuses_fails_alone(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    store.fail("insert", StoreError("full"), StoreError("full"), StoreError("full"))
    many = await asyncio.gather(
        *[jobs.submit(a_request()) for _ in range(4)], return_exceptions=True
    )
    refused = [isinstance(each, StoreError) for each in many]
    assert refused == [True, False, False, False]
    assert (await jobs.statistics()).count(JobStatus.QUEUED) == 3


async def test_a_job_whose_key_is_held_is_found_and_not_created(
    jobs: DefaultJobManager,
) -> None:
    first, second = await asyncio.gather(
        *[jobs.submit(a_request(unique_key="u")) for _ in range(2)]
    )
    third = await jobs.submit(a_request(unique_key="u", queue="other"))
    assert first.id == second.id == third.id
    assert [each.is_duplicate for each in (first, second, third)] == [False, True, True]
    assert third.queue == "default"
    other = await jobs.submit(JobRequest("other"), unique_key="u")
    assert not other.is_duplicate


async def test_submit_many_keeps_the_order_and_finds_duplicates(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    requests = [
        JobRequest("greet", {"n": n}, {"unique_key": f"u{n % 1500}"})
        for n in range(2500)
    ]
    many = await jobs.submit_many(iter(requests), priority=3)
    assert [job.arguments["n"] for job in many] == [n % 1500 for n in range(2500)]
    assert [job.is_duplicate for job in many] == [n >= 1500 for n in range(2500)]
    assert {job.priority for job in many} == {3}
    assert store.batches == [1000, 1000, 500]
    assert (await jobs.statistics()).count(JobStatus.QUEUED) == 1500


async def test_submit_many_of_nothing_asks_nobody(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    assert await jobs.submit_many([]) == []
    assert store.batches == []


async def test_submit_many_stores_nothing_if_one_is_invalid(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    requests = [a_request()] * 1500 + [JobRequest("greet", {"a": float("nan")})]
    with pytest.raises(InvalidJobError):
        await jobs.submit_many(requests)
    assert store.batches == []
