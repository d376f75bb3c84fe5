"""What can happen to a cluster of Redis servers: it loses a master."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final

from jobcore import JobStore
from tests.redis_cluster import RedisCluster
from tools.faults.course import Struck, Tell
from tools.faults.outages import SETTINGS, WITHIN
from tools.faults.redis import mixed_up
from tools.faults.scene import Scene
from tools.faults.way import Way

LAG: Final = 0.5
"""Seconds that a replica may have missed."""
FORGETS: Final = 2.0
"""Seconds before the death of a master of which all that is lost must be."""


@dataclass(frozen=True, slots=True)
class ClusterWay(Way):
    cluster: RedisCluster

    @property
    def url(self) -> str:
        return self.cluster.url

    async def left_by(self, store: JobStore) -> list[str]:
        return await mixed_up(store)


class Failovers:
    """A course on which one master after the other is killed, when its replica has got
    nothing for *lag* seconds. It comes back as a replica of the one that took its
    place."""

    settings: Mapping[str, str] = {**SETTINGS, "job_claim_timeout": "10"}

    def __init__(self, cluster: RedisCluster, lag: float, random: Random) -> None:
        self._cluster = cluster
        self._lag = lag
        self._random = random

    async def run(self, times: int, scene: Scene, tell: Tell) -> Struck:
        over_at: list[datetime] = []
        failed_at: list[float] = []
        await scene.all_work()
        for number in range(times):
            await asyncio.sleep(self._random.uniform(3, 5))
            failed_at.append(await self._lose_a_master())
            over_at.append(datetime.now(UTC))
            took = time.monotonic() - failed_at[-1]
            tell(f"failover {number + 1} of {times} took {took:.2f} s")
            await asyncio.sleep(WITHIN.total_seconds())
            await asyncio.to_thread(self._make_whole)
        return Struck(
            over_at=over_at,
            within=WITHIN,
            failed_over_at=failed_at,
            forgets=FORGETS,
        )

    async def _lose_a_master(self) -> float:
        """Return when another has taken its place, and say when it was killed."""
        master = self._random.choice(self._cluster.masters())
        if self._lag:
            replica = self._cluster.replica_of(master)
            replica.pause()
            self._cluster.cut_off_replicas(master)
            await asyncio.sleep(self._lag)
            master.kill()
            replica.go_on()
        else:
            master.kill()
        failed_at = time.monotonic()
        await asyncio.to_thread(self._cluster.until_replaced)
        return failed_at

    def _make_whole(self) -> None:
        for each in self._cluster.servers:
            if not each.is_running:
                each.start()
        self._cluster.until_whole()
