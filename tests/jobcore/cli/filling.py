"""Jobs for commands to be tried on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from jobcore import (
    Job,
    JobManager,
    JobRequest,
    Tasks,
    Worker,
    current_job,
    open_manager,
)

T = TypeVar("T")

tasks = Tasks()


@tasks.task(queue="mail", max_retries=0)
async def send(to: str) -> str:
    if "@" not in to:
        raise NoAddressError(to)
    context = current_job()
    await context.progress(0.4, "page 4")
    await context.log("half of it")
    return f"sent to {to}"


class NoAddressError(Exception):
    pass


@dataclass(frozen=True)
class Filled:
    """The ids of jobs in all statuses but two."""

    completed: str
    failed: str
    queued: str
    held: str
    scheduled: str


async def fill(jobs: JobManager) -> Filled:
    ended = [await jobs.submit(send.job(to)) for to in ("ada@example.org", "nobody")]
    async with Worker(jobs, tasks):
        while any([(await jobs.get(job)).finished_at is None for job in ended]):  # noqa: ASYNC110 - what ends them is the worker
            await asyncio.sleep(0.01)
    nap: JobRequest[None] = JobRequest("nap")
    waiting: list[Job[None]] = [
        await jobs.submit(nap, labels={"customer": "acme"}),
        await jobs.submit(nap, approval=True),
        await jobs.submit(nap, delay=timedelta(hours=2)),
    ]
    return Filled(*(job.id for job in [*ended, *waiting]))


def within(url: str, act: Callable[[JobManager], Awaitable[T]]) -> T:
    """What *act* answers, with a manager on the store of *url*."""

    async def acted() -> T:
        async with open_manager(url) as jobs:
            return await act(jobs)

    return asyncio.run(acted())
