"""A store for one test, and a manager on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobcore import DefaultJobManager, JobcoreConfig, open_manager
from jobcore.testing import trial_url


@asynccontextmanager
async def opened(config: JobcoreConfig) -> AsyncIterator[DefaultJobManager]:
    """A manager on a new store at the place that *config* names, which is gone when
    the context is left."""
    async with (
        trial_url(config.store_url) as url,
        open_manager(url, config) as manager,
    ):
        yield manager
