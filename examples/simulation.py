"""A host's own tasks in the simulator: each order is charged once, though its job may
run twice.

uv run examples/simulation.py
"""

import asyncio
from functools import partial

from jobcore import JobContext, JobManager, JobStatus, Tasks
from jobcore.testing.simulation import InterruptedCallError, World, simulate

tasks = Tasks()
ledger: dict[str, int] = {}


@tasks.task(context=True, max_retries=3)
async def charge(context: JobContext, cents: int) -> int:
    """What is done under the id of the job is done once, however often it runs."""
    await asyncio.sleep(0.5)  # virtual: it costs no time
    ledger.setdefault(context.job.id, cents)
    return cents


async def order(cents: int, jobs: JobManager) -> None:
    await jobs.submit(charge.job(cents))


async def orders(world: World) -> None:
    """Two workers, and a shop that submits while faults befall all three."""
    world.worker(tasks, concurrency=2)
    world.worker(tasks, concurrency=2)
    shop = world.client()
    for cents in range(1, 11):
        try:
            await shop.call(partial(order, cents))
        except InterruptedCallError:
            continue  # whether it was stored is unknown
        await asyncio.sleep(world.random.random())


def main() -> None:
    orders_made = attempts = 0
    for seed in range(100):
        ledger.clear()
        report = simulate(seed, orders)
        report.confirm()
        if seed == 0:
            print("\n".join(report.history.of("job-0001")))
        for job in report.jobs.values():
            orders_made, attempts = orders_made + 1, attempts + job.attempt
            if job.status is JobStatus.COMPLETED:
                assert ledger[job.id] == job.value
    assert attempts > orders_made, "faults let some of them run again"
    print("100 seeds: every completed order is in the ledger, once")


if __name__ == "__main__":
    main()
