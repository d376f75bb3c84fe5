"""The least that a user of Redis must be allowed, to be a worker's."""

from __future__ import annotations

from typing import Final

from jobcore_redis.options import RedisOptions
from jobcore_redis.scripts import commands

_OUTSIDE: Final = (
    *("asking", "cluster|slots", "command", "eval", "evalsha", "get", "hello"),
    *("hgetall", "hscan", "info", "ping", "publish", "readonly", "select", "set"),
    *("subscribe", "unsubscribe", "wait", "zscan"),
)
"""The commands that are sent outside of scripts."""


def acl_rules(options: RedisOptions | None = None) -> tuple[str, ...]:
    """The rules for `ACL SETUSER`, but for a password: the commands that this release
    sends and that its scripts call, on the keys and the channel of the namespace."""
    chosen = options or RedisOptions()
    stem, name = chosen.prefix, chosen.namespace
    allowed = sorted({each.lower() for each in commands()} | set(_OUTSIDE))
    return (
        *("resetkeys", "resetchannels", "-@all"),
        *(f"+{each}" for each in allowed),
        *(f"~{stem}:{{{name}.*}}:*", f"~{stem}:{name}:*", f"&{stem}:{name}:*"),
    )
