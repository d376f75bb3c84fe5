"""What is looked at before a server is used: may it be trusted with jobs?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from jobcore import StoreError

_logger = logging.getLogger("jobcore.store")

_OLDEST: Final = (6, 2)
_DELETES: Final = "allkeys"
"""How the policies of eviction begin that would delete jobs when memory is full."""


def check(info: Mapping[str, Any]) -> tuple[int, ...]:
    """The version of the server that tells *info* of itself. StoreError where it is too
    old, or would delete jobs; what it would lose when it stops is warned about."""
    version = _version(info)
    if version < _OLDEST:
        problem = f"Redis {info.get('redis_version')} is older than 6.2"
        raise StoreError(problem)
    policy = str(info.get("maxmemory_policy", ""))
    if deletes_jobs(policy):
        problem = (
            f"its maxmemory-policy {policy} deletes jobs when memory is full: set "
            "noeviction"
        )
        raise StoreError(problem)
    if info.get("aof_enabled") == 0:
        _logger.warning(
            "Redis keeps no log of its writes (appendonly no): what it was given since "
            "its last snapshot is lost when it stops"
        )
    return version


def deletes_jobs(policy: str) -> bool:
    """Whether a server with this *policy* of eviction does."""
    return policy.startswith(_DELETES)


def _version(info: Mapping[str, Any]) -> tuple[int, ...]:
    parts = str(info.get("redis_version", "0")).split(".")
    return tuple(int(each) for each in parts if each.isdecimal())
