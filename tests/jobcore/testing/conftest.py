"""A manager in memory, as a test of a host has it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from jobcore import DefaultJobManager, open_manager


@pytest.fixture
async def jobs() -> AsyncIterator[DefaultJobManager]:
    async with open_manager("memory://") as jobs:
        yield jobs
