"""A part of an application that uses jobs; test_host_application.py tests it.

    JOBCORE_STORE_URL=redis://localhost uv run examples/host_application.py

Nothing in it says what the store is: it may be any, and is memory:// by default.
"""

import asyncio
from collections.abc import AsyncIterator

from jobcore import Job, JobManager, Tasks, Worker, current_job, open_manager

tasks = Tasks()


class Mailer:
    """Stands for the client of a mail service."""

    async def send(self, to: str, text: str) -> None:
        print(f"to {to}: {text}")


@tasks.worker_resource
async def mailer() -> AsyncIterator[Mailer]:
    """Opened once by each worker, and closed after its last job."""
    yield Mailer()


@tasks.task(queue="mail", max_retries=5)
async def send_welcome(email: str) -> str:
    name = email.partition("@")[0].title()
    await current_job().resource(mailer).send(email, f"Welcome, {name}!")
    return name


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
