"""Ids and tokens, from a source of randomness that tests may seed."""

from __future__ import annotations

import time
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from random import Random

from jobcore.value import value


def new_token(random: Random) -> str:
    """128 random bits in hexadecimal."""
    return f"{random.getrandbits(128):032x}"


def new_worker_id(random: Random, host: str, pid: int) -> str:
    """Tells the host and process, and differs at every start of the same process."""
    name = "".join(each if each.isascii() and each.isalnum() else "-" for each in host)
    return f"{name.strip('-')[:32] or 'worker'}-{pid}-{random.getrandbits(48):012x}"


@value
class Tick:
    """What one job of a schedule is made for: an instant, or the *key* of somebody who
    triggered it."""

    schedule: str
    at: datetime
    key: str = ""


def tick_id(tick: Tick) -> str:
    """The UUID of version 7 that a tick has, whoever asks."""
    name = f"{tick.schedule}\0{tick.at.isoformat()}\0{tick.key}"
    drawn = int.from_bytes(sha256(name.encode()).digest()[:10], "big") >> 7
    return _uuid(int(tick.at.timestamp() * 1000) << 74 | drawn)


class IdSequence:
    """UUIDs of version 7 (RFC 9562) that rise strictly within the sequence, even when
    many are made in one millisecond or the clock steps back."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._millisecond = 0
        self._last = 0

    def __call__(self) -> str:
        millisecond = time.time_ns() // 1_000_000
        if millisecond > self._millisecond:
            self._millisecond = millisecond
            fresh = millisecond << 74 | self._random.getrandbits(73)
            self._last = max(fresh, self._last + 1)
        else:
            self._last += 1
        return _uuid(self._last)


def _uuid(bits: int) -> str:
    """The UUID of version 7 with these 122 *bits*."""
    return f"{_head(bits >> 48)}{bits & (1 << 48) - 1:012x}"


@lru_cache(maxsize=256)  # those of one millisecond share it
def _head(bits: int) -> str:
    time = f"{bits >> 26:012x}"
    version = 0x7 << 12 | bits >> 14 & 0xFFF
    variant = 0b10 << 14 | bits & 0x3FFF
    return f"{time[:8]}-{time[8:]}-{version:04x}-{variant:04x}-"
