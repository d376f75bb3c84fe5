"""A host with a manager on memory whose clock can be set ahead, and quick settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from jobcore import (
    DefaultJobManager,
    InMemoryJobStore,
    Job,
    JobcoreConfig,
    JobStatus,
    Tasks,
)

QUICK = JobcoreConfig(
    retry_delay_base=timedelta(milliseconds=10),
    job_polling_interval=timedelta(milliseconds=10),
    stale_job_claim_check_interval=timedelta(milliseconds=20),
    shutdown_grace_period=timedelta(seconds=5),
)


@dataclass
class Host:
    store: InMemoryJobStore
    jobs: DefaultJobManager
    tasks: Tasks

    async def is_in_progress(self, job: Job[object]) -> bool:
        return (await self.jobs.get(job)).status is JobStatus.IN_PROGRESS


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when *condition* holds; the test's own time limit is the only one."""
    while not await condition():  # noqa: ASYNC110 - what changes it is in the store
        await asyncio.sleep(0.001)


@pytest.fixture
async def host(request: pytest.FixtureRequest) -> AsyncIterator[Host]:
    changes = getattr(request, "param", {})
    config = QUICK.model_copy(update=changes)
    async with InMemoryJobStore() as store, DefaultJobManager(store, config) as jobs:
        yield Host(store, jobs, Tasks())
        assert (await store.verify()).sound
