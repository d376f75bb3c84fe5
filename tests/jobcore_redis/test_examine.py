"""What is wrong with a server is found, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from jobcore import Finding
from jobcore_redis import RedisJobStore, RedisOptions
from jobcore_redis.examine import _examine as told_by
from jobcore_redis.faults import FAULTS
from tests.jobcore_redis import servers
from tests.redis_cluster import RedisCluster
from tests.redis_server import RedisServer
from tests.replicated_redis import ReplicatedRedis

pytestmark = pytest.mark.anyio

SLOT = 7
ALL_IS_WELL = {"maxmemory_policy": "noeviction", "aof_enabled": 1, "role": "master"}


def sentences(findings: Sequence[Finding]) -> list[str]:
    return [f"{each.code}: {each.sentence}" for each in findings]


@pytest.mark.parametrize("kind", [*servers.KINDS, *servers.WAYS])
async def test_nothing_is_found_where_all_is_well(kind: str) -> None:
    async with servers.empty_store(kind) as store:
        codes = [each.code for each in await store.examine()]
    own = [] if kind == "named" else codes
    assert own == [], "but for a server that is somebody else's"


async def test_what_deletes_or_loses_jobs_is_found(alone: RedisServer) -> None:
    async with RedisJobStore(alone.url) as store:
        assert await store.examine() == []
        servers.run(alone.url, "CONFIG SET", "maxmemory-policy", "allkeys-lru")
        servers.run(alone.url, "CONFIG SET", "appendonly", "no")
        assert sentences(await store.examine()) == [
            "eviction: Its maxmemory-policy allkeys-lru deletes jobs when memory is "
            "full.",
            "not_persistent: It keeps no log of its writes (appendonly no): what came "
            "since its last snapshot is lost when it stops.",
        ]


async def test_memory_that_is_nearly_full_is_found(alone: RedisServer) -> None:
    async with RedisJobStore(alone.url) as store:
        info = servers.run(alone.url, "INFO", "memory")
        used = info["used_memory"]
        servers.run(alone.url, "CONFIG SET", "maxmemory", int(used * 1.25))
        assert await store.examine() == []
        servers.run(alone.url, "CONFIG SET", "maxmemory", int(used * 0.8))
        (finding,) = await store.examine()
    assert finding.code == "memory_nearly_full"


async def test_replicas_that_are_waited_for_and_not_there_are_found(
    replicated: ReplicatedRedis,
) -> None:
    options = RedisOptions(wait_replicas=2)
    async with RedisJobStore(replicated.master.url, options) as store:
        assert sentences(await store.examine()) == [
            "too_few_replicas: It has 1 replicas, and wait_replicas is 2."
        ]
    async with RedisJobStore(replicated.master.url) as store:
        assert await store.examine() == []


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"role": "slave", "master_host": "redis-1"}, "is_replica"),
        ({"rdb_last_bgsave_status": "err"}, "disk_fails"),
        ({"aof_last_write_status": "err"}, "disk_fails"),
        ({"maxmemory": 100, "used_memory": 91}, "memory_nearly_full"),
    ],
)
def test_a_server_tells_of_itself(told: dict[str, Any], code: str) -> None:
    assert list(told_by(ALL_IS_WELL, 0)) == []
    assert [each.code for each in told_by({**ALL_IS_WELL, **told}, 0)] == [code]


@contextmanager
def a_slot_without_server(cluster: RedisCluster) -> Iterator[None]:
    """Let the others be served meanwhile, and it be as before in the end."""
    master = cluster.masters()[0]
    for each in cluster.running():
        servers.run(each.url, "CONFIG SET", "cluster-require-full-coverage", "no")
        servers.run(each.url, "CLUSTER DELSLOTS", SLOT)
    try:
        yield
    finally:
        servers.run(master.url, "CLUSTER ADDSLOTS", SLOT)
        for each in cluster.running():
            servers.run(each.url, "CONFIG SET", "cluster-require-full-coverage", "yes")
        cluster.until_served()


@pytest.mark.skipif("cluster" not in servers.WAYS, reason="another server is named")
async def test_a_slot_that_nobody_serves_is_found() -> None:
    async with servers.empty_store("cluster") as store:
        with a_slot_without_server(servers.cluster()):
            assert sentences(await store.examine()) == [
                "slots_not_served: No server of the cluster has 1 of its hash slots."
            ]
        assert await store.examine() == []


def test_no_two_faults_share_a_code() -> None:
    assert len({each.code for each in FAULTS}) == len(FAULTS)
