"""Hello, world: a task, a job, its result."""

import asyncio

from jobcore import Tasks, Worker, open_manager

tasks = Tasks()


@tasks.task()
async def greet(name: str) -> str:
    return f"Hello, {name}!"


async def main() -> None:
    async with open_manager() as jobs, Worker(jobs, tasks):
        print(await jobs.result(await jobs.submit(greet.job("world"))))


if __name__ == "__main__":
    asyncio.run(main())
