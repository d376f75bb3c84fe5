"""How the jobs of one queue are spread over the masters of a cluster."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from jobcore import (
    DefaultJobManager,
    Filter,
    JobRequest,
    JobStatus,
    store_from_url,
)
from jobcore_redis.keys import Partitions
from jobcore_redis.options import RedisOptions
from tests.redis_cluster import RedisCluster
from tests.redis_server import RedisServer
from tools.faults.experiment import WORKERS
from tools.faults.fleet import Fleet
from tools.faults.scene import found_by

UNEVEN: Final = 0.2
"""How far from even the share of a master may be."""
PARTITIONS: Final = 12
"""How many a store on a cluster has by default."""
_QUEUE: Final = "spread"
_PATIENCE: Final = 120.0


@dataclass(frozen=True, slots=True)
class SpreadReport:
    """Of a queue that was worked off."""

    jobs: int
    claims: tuple[int, ...]
    """How many of each master's jobs were claimed."""
    scripts: tuple[int, ...]
    """How many scripts each master ran meanwhile."""

    @property
    def furthest(self) -> float:
        """How far from an even share any of them is."""
        return max(_furthest(self.claims), _furthest(self.scripts))

    @property
    def wrong(self) -> tuple[str, ...]:
        found: list[str] = []
        if sum(self.claims) != self.jobs:
            found.append(f"{self.jobs} jobs were claimed {sum(self.claims)} times")
        if self.furthest > UNEVEN:
            found.append(f"a master is {self.furthest:.0%} from an even share")
        return tuple(found)


def _furthest(counts: tuple[int, ...]) -> float:
    even = sum(counts) / len(counts)
    return max(abs(each - even) for each in counts) / even


async def spread(cluster: RedisCluster, folder: Path, number: int) -> SpreadReport:
    """Let workers work off that many jobs of one queue."""
    masters = cluster.masters()
    async with (
        store_from_url(cluster.url) as store,
        DefaultJobManager(store) as jobs,
    ):
        requests = [JobRequest("sleep", {"seconds": 0}) for _ in range(number)]
        await jobs.submit_many(requests, queue=_QUEUE)
        before = [await _scripts(each) for each in masters]
        command = [cluster.url, _QUEUE, str(folder / "journal")]
        async with Fleet(WORKERS, command, {}, folder / "log") as fleet:
            async with asyncio.timeout(_PATIENCE):
                while await _completed(jobs) < number:  # noqa: ASYNC110 - others do it
                    await asyncio.sleep(0.1)
            after = [await _scripts(each) for each in masters]
            await fleet.stop()
        found = [job async for job in found_by(jobs, Filter(queue=_QUEUE))]
    claims: Counter[int] = Counter()
    ports = _ports(cluster)
    for job in found:
        claims[ports[int(job.id.rpartition(".")[2])]] += job.attempt
    return SpreadReport(
        number,
        tuple(claims[each.port] for each in masters),
        tuple(late - early for late, early in zip(after, before, strict=True)),
    )


async def _completed(jobs: DefaultJobManager) -> int:
    return (await jobs.statistics()).count(JobStatus.COMPLETED, _QUEUE)


async def _scripts(server: RedisServer) -> int:
    """How many scripts a server has run."""
    async with Redis.from_url(server.url) as client:
        told: Mapping[str, Any] = await client.info("commandstats")
    names = ("cmdstat_evalsha", "cmdstat_eval")
    return sum(told[name]["calls"] for name in names if name in told)


def _ports(cluster: RedisCluster) -> list[int]:
    """The port of the master of each partition."""
    partitions = Partitions(RedisOptions(), PARTITIONS).all
    return [cluster.master_of(each.key("jobs")).port for each in partitions]
