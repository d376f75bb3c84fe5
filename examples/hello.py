"""Hello, world: a task, a job, its result."""

import asyncio

from jobcore import Tasks, Worker, open_manager

tasks = Tasks()


@tasks.task(queue="mail")
async def send_email(to: str) -> str:
    return f"sent to {to}"


async def main() -> None:
    async with open_manager() as jobs, Worker(jobs, tasks):
        print(await jobs.result(await jobs.submit(send_email.job("ada@example.org"))))


if __name__ == "__main__":
    asyncio.run(main())
