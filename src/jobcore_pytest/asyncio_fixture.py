"""The manager in the event loop of pytest-asyncio, where that is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

if TYPE_CHECKING:
    from jobcore import DefaultJobManager, JobcoreConfig


@pytest_asyncio.fixture
async def _jobcore_manager_of_asyncio(
    jobcore_config: JobcoreConfig,
) -> AsyncIterator[DefaultJobManager]:
    from jobcore_pytest.opening import opened  # noqa: PLC0415 - only when it is asked for

    async with opened(jobcore_config) as manager:
        yield manager
