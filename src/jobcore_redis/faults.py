"""The faults that are looked for on Redis."""

from __future__ import annotations

from typing import Final

from jobcore import Fault, Severity

_PROBLEM, _ADVICE = Severity.PROBLEM, Severity.ADVICE

EVICTION: Final = Fault(
    code="eviction",
    severity=_PROBLEM,
    sentence="Its maxmemory-policy {policy} deletes jobs when memory is full.",
    remedy="CONFIG SET maxmemory-policy noeviction, and in redis.conf.",
)
MEMORY_NEARLY_FULL: Final = Fault(
    code="memory_nearly_full",
    severity=_PROBLEM,
    sentence="{percent} % of its maxmemory are used: soon no job comes in any more.",
    remedy=(
        "Raise maxmemory, keep finished jobs for less time (retention), or look for "
        "what else fills it."
    ),
)
NOT_PERSISTENT: Final = Fault(
    code="not_persistent",
    severity=_PROBLEM,
    sentence=(
        "It keeps no log of its writes (appendonly no): what came since its last "
        "snapshot is lost when it stops."
    ),
    remedy="CONFIG SET appendonly yes, and in redis.conf; see docs/durability.md.",
)
DISK_FAILS: Final = Fault(
    code="disk_fails",
    severity=_PROBLEM,
    sentence="It could not write to its disk ({what}): {status}.",
    remedy="Look at its log, and whether its disk is full.",
)
IS_REPLICA: Final = Fault(
    code="is_replica",
    severity=_PROBLEM,
    sentence="It is a replica of {master}, and takes no writes.",
    remedy="Give the store the URL of the master, or of Sentinel.",
)
TOO_FEW_REPLICAS: Final = Fault(
    code="too_few_replicas",
    severity=_PROBLEM,
    sentence="It has {replicas} replicas, and wait_replicas is {wanted}.",
    remedy="Start replicas, or wait for fewer.",
)
SLOTS_NOT_SERVED: Final = Fault(
    code="slots_not_served",
    severity=_PROBLEM,
    sentence="No server of the cluster has {slots} of its hash slots.",
    remedy="redis-cli --cluster fix; jobs of partitions that lie there are not served.",
)

FAULTS: Final = (
    *(SLOTS_NOT_SERVED, EVICTION, MEMORY_NEARLY_FULL, NOT_PERSISTENT, DISK_FAILS),
    *(IS_REPLICA, TOO_FEW_REPLICAS),
)
"""All of them, in the order in which they are looked for."""
