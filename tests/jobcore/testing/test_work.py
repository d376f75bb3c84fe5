"""The helpers do what their names say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from jobcore.job import JobStatus
from jobcore.memory import InMemoryJobStore
from jobcore.store import JobStore
from jobcore.testing import (
    a_claim,
    a_job,
    a_request,
    claimed,
    close,
    current,
    found,
    inserted,
    named,
    pass_time,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store() -> AsyncIterator[JobStore]:
    async with InMemoryJobStore() as store:
        yield store


def test_a_job_takes_any_field() -> None:
    job = a_job(queue="mail", priority=3)
    assert (job.task, job.queue, job.priority) == ("greet", "mail", 3)


def test_a_request_has_a_token_of_its_own() -> None:
    assert a_request().token != a_request().token


async def test_named_keeps_an_id(store: JobStore) -> None:
    assert named(store, a_job(id="mine")).id == "mine"
    assert named(store, a_job()).id


async def test_inserted_refuses_what_is_there_already(store: JobStore) -> None:
    (job,) = await inserted(store, a_job())
    with pytest.raises(AssertionError, match="insert creates new jobs"):
        await inserted(store, a_job(id=job.id))


async def test_a_claim_is_of_a_new_job(store: JobStore) -> None:
    claim = await a_claim(store, queue="mail", max_retries=2)
    assert (claim.job.queue, claim.job.max_retries) == ("mail", 2)
    assert await claimed(store, 9, queues=("mail",)) == []


async def test_current_refuses_what_is_not_there(store: JobStore) -> None:
    with pytest.raises(AssertionError, match="get finds a job"):
        await current(store, "no such id")


async def test_found_reads_all_pages(store: JobStore) -> None:
    jobs = await inserted(store, *(a_job() for _ in range(5)))
    assert await found(store, page=2) == jobs[::-1]


async def test_pass_time_moves_the_clock_of_the_store(store: JobStore) -> None:
    (job,) = await inserted(store, a_job(delay=timedelta(days=2)))
    pass_time(store, timedelta(days=2))
    assert (await store.promote(1)).promoted == 1
    (later,) = await inserted(store, a_job())
    assert close(later.created_at, job.due_at)
    assert not close(later.created_at, job.created_at)
    assert (await current(store, job.id)).status is JobStatus.QUEUED
