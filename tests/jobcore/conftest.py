"""A manager on a store that can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from jobcore import DefaultJobManager, JobcoreConfig
from tests.jobcore.faults import FaultyStore


@pytest.fixture
async def store() -> AsyncIterator[FaultyStore]:
    async with FaultyStore() as store:
        yield store


@pytest.fixture
def config() -> JobcoreConfig:
    return JobcoreConfig(
        job_claim_timeout=timedelta(hours=1),
        store_retry_timeout=timedelta(seconds=5),
        job_polling_interval=timedelta(milliseconds=20),
    )


@pytest.fixture
async def jobs(
    store: FaultyStore, config: JobcoreConfig
) -> AsyncIterator[DefaultJobManager]:
    async with DefaultJobManager(store, config) as jobs:
        yield jobs
