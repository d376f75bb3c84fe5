"""Two stores as one, whose every call is told: how long it took, for how many jobs.

uv run examples/observed.py
"""

import asyncio
from collections import Counter

from jobcore import DefaultJobManager, InMemoryJobStore, Tasks, Worker
from jobcore.wrappers import InstrumentedStore, PartitionedStore, StoreCall

tasks = Tasks()
jobs_by_verb = Counter[str]()


@tasks.task()
async def send_email(to: str) -> str:
    return f"sent to {to}"


def observe(call: StoreCall) -> None:
    """Metrics would be kept here; there are `call.took` and `call.error`, too."""
    jobs_by_verb[call.verb] += call.jobs


async def main() -> None:
    both = PartitionedStore([InMemoryJobStore(), InMemoryJobStore()])
    async with (
        InstrumentedStore(both, observe) as store,
        DefaultJobManager(store) as jobs,
        Worker(jobs, tasks),
    ):
        for job in await jobs.submit_many(send_email.job(each) for each in "abc"):
            print(await jobs.result(job))
    for verb in ("insert", "claim", "apply"):
        print(f"{verb}: {jobs_by_verb[verb]} jobs")


if __name__ == "__main__":
    asyncio.run(main())
