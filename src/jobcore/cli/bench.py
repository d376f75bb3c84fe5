"""Measuring a store: how fast jobs that do nothing come in, and are done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from jobcore.cli.printing import Sheet, show
from jobcore.cli.store import StoreUrl, settings
from jobcore.default_manager import open_manager
from jobcore.job import JobStatus
from jobcore.manager import JobManager
from jobcore.tasks import Tasks
from jobcore.trial import trial_url
from jobcore.worker import Worker

_POLL: Final = 0.05
"""Seconds between two looks whether all is done."""

_Count = Annotated[int, Parameter(validator=Number(gte=1))]


async def bench(
    *, jobs: _Count = 10_000, concurrency: _Count = 100, store: StoreUrl = None
) -> None:
    """Submit jobs that do nothing, run them, and tell how fast that was.

    They lie in a store of their own, at the place that is named, which is gone
    afterwards. This process is client and worker alike.

    Parameters
    ----------
    jobs
        How many, 10000 unless told otherwise.
    concurrency
        How many run at a time, 100 unless told otherwise.
    """
    config, tasks = settings(store), Tasks()

    @tasks.task()
    async def nothing() -> None:
        pass

    async with (
        trial_url(config.store_url) as url,
        open_manager(url, config) as manager,
    ):
        requests = [nothing.job()] * jobs
        submitting = await _timed("submit", jobs, manager.submit_many(requests))
        async with Worker(manager, tasks, concurrency=concurrency):
            running = await _timed("run", jobs, _completed(manager, jobs))
    headings = ("what", "jobs", "seconds", "jobs/s", "cpu us/job")
    show(Sheet(headings, [submitting, running]))


async def _completed(manager: JobManager, jobs: int) -> None:
    """Return once the store itself has all jobs as completed."""
    while (await manager.statistics()).count(JobStatus.COMPLETED) < jobs:  # noqa: ASYNC110 - it is the store that is asked
        await asyncio.sleep(_POLL)


async def _timed(what: str, jobs: int, act: Awaitable[object]) -> tuple[str, ...]:
    """How long *act* takes, and what this process works for it, per job."""
    began_at, worked = time.perf_counter(), time.process_time()
    await act
    seconds = time.perf_counter() - began_at
    microseconds = (time.process_time() - worked) / jobs * 1e6
    rate = jobs / seconds
    return (what, str(jobs), f"{seconds:.2f}", f"{rate:.0f}", f"{microseconds:.0f}")
