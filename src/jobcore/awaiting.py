"""Waiting for a job to end, and what its end means to whoever waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

from jobcore.errors import JobCanceledError, JobFailedError
from jobcore.job import TERMINAL, Job, JobStatus

R = TypeVar("R")

_FIRST_PAUSE: Final = 0.02
_GROWTH: Final = 1.5


async def ended(
    job: Job[R],
    get: Callable[[Job[R]], Awaitable[Job[R]]],
    listen: Callable[[str], AbstractContextManager[asyncio.Event]],
    longest: timedelta,
) -> Job[R]:
    """The job once it is terminal: looked at when what *listen* gives is set, and after
    pauses of 20 ms that grow to the *longest*. It listens before it looks, so that no
    end in this process falls between the two."""
    pause = _FIRST_PAUSE
    with listen(job.id) as event:
        while (current := await get(job)).status not in TERMINAL:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await event.wait()
            event.clear()
            pause = min(pause * _GROWTH, longest.total_seconds())
    return current


def result_of(job: Job[R]) -> R:
    """What the task of a terminal job returned; JobCanceledError or JobFailedError
    where it did not."""
    if job.status is JobStatus.CANCELED:
        raise JobCanceledError(job.id)
    if job.status is JobStatus.FAILED:
        failure = job.failure
        problem = (failure.type, failure.message) if failure else ("", "")
        raise JobFailedError(job.id, *problem)
    value: Any = job.value
    result: R = value
    return result
