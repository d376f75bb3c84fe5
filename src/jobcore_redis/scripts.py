"""The Lua scripts: a file per verb, which says in its first lines what keys it has.

A script names its keys in the line `-- keys:`, which become its local variables, and in
`-- uses:` the files of shared functions that are put before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Final

_FOLDER: Final = files("jobcore_redis") / "lua"
_LINE: Final = re.compile(r"^-- (keys|uses): (.*)$", re.MULTILINE)
_COMMAND: Final = re.compile(r"\b(?:call|paged|added)\('([A-Z]+)'")

ALLOWED_WHEN_FULL: Final = frozenset(
    {
        "ahead",
        "apply",
        "delete",
        "delete_finished",
        "expired",
        "find",
        "finished",
        "get",
        "gone",
    }
    | {"lift", "paused", "promote", "renew", "resume", "statistics", "turn", "workers"}
    | {"claim", "free", "inspect", "read", "recount", "seen", "upward"}
    | {"due_schedules", "limited", "next_due_at", "schedules", "unschedule"}
)
"""What must go on when the memory is full: all that frees some, or asks."""
_FREES_FIRST: Final = "redis.call('DEL', KEYS[1] .. ':')\n"
"""Before version 7 a script is judged by its first write, which this is: of nothing."""
_MAY_FILL_FIRST: Final = frozenset({"apply", "renew", "seen", "turn"})
"""Those of them that may begin with a write that needs memory."""

WAITED_FOR: Final = frozenset({"apply", "fire", "insert", "reserve"})
"""After these replicas are waited for, where that is wanted: a caller is told that
something is stored, or over."""
_MARK: Final = "waited"
"""A key which those scripts then write in any case: a server waits for nothing where
its last call wrote nothing, as one that is repeated does (from Redis 7.2 on)."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script as the server gets it."""

    name: str
    keys: tuple[str, ...]
    text: str
    sha: str


@cache
def script(name: str, *, flagged: bool, waits: bool = False) -> Script:
    """The script *name*, with the flags that Redis knows from version 7 on, where it
    has them, and with a write in any case where somebody *waits* for replicas."""
    body = _source(name)
    said = dict(_LINE.findall(body))
    keys = tuple(said["keys"].split())
    mark = f"call('SET', {_MARK}, '')\n" if waits else ""
    keys = (*keys, _MARK) if waits else keys
    shared = "".join(_source(f"_{each}") for each in said.get("uses", "").split())
    first = "#!lua flags=allow-oom\n" if name in ALLOWED_WHEN_FULL else "#!lua\n"
    if not flagged:
        first = _FREES_FIRST if name in _MAY_FILL_FIRST else ""
    text = (
        f"{first}local call = redis.call\n"
        f"local {', '.join(keys)} = unpack(KEYS)\n{mark}{shared}{body}"
    )
    return Script(
        name, keys, text, sha1(text.encode(), usedforsecurity=False).hexdigest()
    )


def names() -> tuple[str, ...]:
    """The names of all scripts."""
    found = (each.name.removesuffix(".lua") for each in _FOLDER.iterdir())
    return tuple(sorted(each for each in found if not each.startswith("_")))


def all_keys() -> tuple[str, ...]:
    """The keys that a partition has, by whatever script."""
    each = (script(name, flagged=False).keys for name in names())
    return tuple(sorted({key for keys in each for key in keys}))


def commands() -> frozenset[str]:
    """The commands that the scripts call."""
    texts = (script(name, flagged=False).text for name in names())
    return frozenset(found for text in texts for found in _COMMAND.findall(text))


def _source(name: str) -> str:
    return (_FOLDER / f"{name}.lua").read_text()
