"""Hello, world: one task, one job, one result."""

import asyncio

from jobcore import Priority, Tasks, Worker, open_manager

tasks = Tasks()


@tasks.task(queue="mail")
async def send_email(to: str, subject: str = "") -> str:
    return f"sent {subject!r} to {to}"


async def main() -> None:
    async with open_manager("memory://") as jobs, Worker(jobs, tasks):
        request = send_email.job("ada@example.org")
        job = await jobs.submit(request, priority=Priority.HIGH)
        print(await jobs.result(job))


if __name__ == "__main__":
    asyncio.run(main())
