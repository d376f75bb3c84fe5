"""Examine: what is wrong with a server, by what it tells of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jobcore import Finding
from jobcore_redis import faults
from jobcore_redis.checks import deletes_jobs
from jobcore_redis.server import Server

_FULL: Final = 0.9
"""The part of its memory that may be used."""
_WRITES: Final = ("rdb_last_bgsave_status", "aof_last_write_status")


async def examine(server: Server) -> list[Finding]:
    """All that is found on the servers that hold jobs."""
    found: list[Finding] = []
    if slots := await server.slots_not_served():
        found.append(Finding(faults.SLOTS_NOT_SERVED, {"slots": slots}))
    told = await server.told()
    for name, info in told.items():
        each = _examine(info, server.options.wait_replicas)
        found += (finding.of(name) for finding in each) if name else each
    return found


def _examine(info: Mapping[str, Any], wanted: int) -> Iterator[Finding]:
    policy = str(info.get("maxmemory_policy", ""))
    if deletes_jobs(policy):
        yield Finding(faults.EVICTION, {"policy": policy})
    limit = info.get("maxmemory", 0)
    if limit and info["used_memory"] > _FULL * limit:
        percent = round(100 * info["used_memory"] / limit)
        yield Finding(faults.MEMORY_NEARLY_FULL, {"percent": percent})
    if info.get("aof_enabled") == 0:
        yield Finding(faults.NOT_PERSISTENT)
    for what in _WRITES:
        if (status := info.get(what, "ok")) != "ok":
            yield Finding(faults.DISK_FAILS, {"what": what, "status": status})
    if info.get("role", "master") != "master":
        yield Finding(faults.IS_REPLICA, {"master": info.get("master_host")})
    elif (replicas := info.get("connected_slaves", 0)) < wanted:
        yield Finding(faults.TOO_FEW_REPLICAS, {"replicas": replicas, "wanted": wanted})
