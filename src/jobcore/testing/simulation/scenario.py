"""The scenario that jobcore is tested with: random work and random operators."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

from jobcore.config import JobcoreConfig
from jobcore.testing.simulation.chances import Chances
from jobcore.testing.simulation.steps import ALL, MOST, QUEUES, RECURRING
from jobcore.testing.simulation.world import World


def drawn_config(random: Random) -> JobcoreConfig:
    """Settings under which much happens in little time."""
    lease = random.choice((2.0, 3.0, 5.0))
    return JobcoreConfig.model_construct(
        job_claim_timeout=timedelta(seconds=lease),
        job_polling_interval=timedelta(seconds=random.choice((0.5, 1.0))),
        schedule_check_interval=timedelta(seconds=random.choice((0.5, 1.0))),
        stale_job_claim_check_interval=timedelta(seconds=random.choice((1.0, 2.0))),
        prune_interval=timedelta(seconds=4),
        retry_delay_base=timedelta(seconds=random.choice((0.5, 1.0))),
        retry_delay_cap=timedelta(seconds=2),
        unknown_task_delay=timedelta(seconds=1),
        shutdown_grace_period=timedelta(seconds=random.choice((0.0, 1.0))),
        store_retry_timeout=timedelta(seconds=random.choice((1.0, 4.0))),
        retention_completed=timedelta(seconds=random.choice((2, 600))),
        retention_canceled=timedelta(seconds=random.choice((2, 600))),
        max_concurrent_jobs=random.choice((1, 2, 5)),
        job_prefetch=random.choice((None, 0, 2)),
        max_lost=random.choice((1, 2, 3)),
        max_result_size=1000,
    )


async def everything(world: World) -> None:
    """One to three workers, one or two clients, ten to thirty jobs, some seconds."""
    random = world.random
    first = random.choice((ALL, ALL, RECURRING))
    for number in range(random.choice((1, 2, 2, 3))):
        world.worker(MOST if number else first, queues=QUEUES)
    clients = [world.client() for _ in range(random.choice((1, 1, 2)))]
    chances = Chances(world)
    acts: list[asyncio.Task[None]] = []
    for _ in range(random.randint(10, 24)):
        acts.append(asyncio.create_task(chances.take(random.choice(clients))))
        await asyncio.sleep(random.expovariate(4))
    await asyncio.sleep(random.random() * 4)
    world.end_faults()
    await asyncio.gather(*acts)
    # What a client had sent when it crashed arrives up to one and a half leases later.
    await asyncio.sleep(2 * world.config.job_claim_timeout.total_seconds())
    await chances.approve_all(clients[0])
