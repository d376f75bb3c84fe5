"""Retries: which failures are worth one, how long to wait, and what is kept of them.

uv run examples/retries.py
"""

import asyncio
import logging
from datetime import timedelta

from tenacity import retry_if_not_exception_type

from jobcore import (
    Job,
    JobContext,
    JobFailedError,
    Tasks,
    Worker,
    exponential,
    fixed,
    open_manager,
)

tasks = Tasks()


class OutOfStockError(Exception):
    """Trying again does not help."""


class BusyError(Exception):
    """An exception may say itself when to come back, as HTTP's Retry-After does."""

    retry_after = timedelta(milliseconds=50)


# From 10 ms, twice as long each time, spread by 20 %; all errors are retried but one.
patient = exponential(
    timedelta(milliseconds=10), on=retry_if_not_exception_type(OutOfStockError)
)


@tasks.task(context=True, max_retries=5, retry=patient)
async def reserve(context: JobContext, item: str) -> str:
    """The context knows the attempt, which rises each time the job is claimed."""
    if item == "unicorn":
        raise OutOfStockError(item)
    if context.job.attempt < 3:
        raise BusyError
    return f"reserved {item} in attempt {context.job.attempt}"


@tasks.task(
    max_retries=1,
    retry=fixed(timedelta(milliseconds=10)),
    timeout=timedelta(milliseconds=50),
)
async def ship(item: str) -> str:
    """It is cancelled after its timeout. That is a failure, and costs a retry."""
    await asyncio.sleep(3600)
    return f"shipped {item}"


def history(job: Job) -> str:
    """One line per attempt, from its records."""
    return "\n".join(
        f"  attempt {each.number} {each.outcome}: "
        f"{each.failure.type if each.failure else 'no error'}"
        for each in job.attempts
    )


async def main() -> None:
    async with open_manager() as jobs, Worker(jobs, tasks):
        for request in (reserve.job("pen"), reserve.job("unicorn"), ship.job("pen")):
            job = await jobs.submit(request)
            try:
                print(await jobs.result(job))
            except JobFailedError as error:
                print(f"{request.task} failed: {error.error_type}: {error.message}")
            print(history(await jobs.get(job, attempts=True)))


if __name__ == "__main__":
    logging.getLogger("jobcore").setLevel(logging.ERROR)  # each failure is a warning
    asyncio.run(main())
