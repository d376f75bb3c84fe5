"""A part of an application that uses jobs; test_host_application.py tests it.

    JOBCORE_STORE_URL=redis://localhost uv run examples/host_application.py

Nothing in it says what the store is: it may be any, and is memory:// by default.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from tenacity import retry_if_not_exception_type

from jobcore import (
    Every,
    Job,
    JobManager,
    Tasks,
    Worker,
    current_job,
    exponential,
    open_manager,
)

tasks = Tasks()


class Mailer:
    """Stands for the client of a mail service."""

    async def send(self, to: str, text: str) -> None:
        print(f"to {to}: {text}")


@tasks.worker_resource
async def mailer() -> AsyncIterator[Mailer]:
    """Opened once by each worker, and closed after its last job."""
    yield Mailer()


# No retry helps a wrong address.
patient = exponential(timedelta(seconds=2), on=retry_if_not_exception_type(ValueError))


@tasks.task(queue="mail", max_retries=5, retry=patient)
async def send_welcome(email: str) -> str:
    name, at, _ = email.partition("@")
    if not at:
        raise ValueError(f"{email} is no address")
    await current_job().resource(mailer).send(email, f"Welcome, {name.title()}!")
    return name.title()


@tasks.task(queue="mail", schedule=Every(timedelta(days=1)))
async def send_digest() -> None:
    await current_job().resource(mailer).send("all@example.org", "What is new")


async def sign_up(jobs: JobManager, email: str) -> Job[str]:
    """Whoever signs up twice is welcomed once, as long as the first mail waits."""
    return await jobs.submit(send_welcome.job(email), unique_key=email)


async def main() -> None:
    async with open_manager() as jobs, Worker(jobs, tasks):
        for email in ("ada@example.org", "alan@example.org"):
            name = await jobs.result(await sign_up(jobs, email))
            print(f"{name} was welcomed")


if __name__ == "__main__":
    asyncio.run(main())
