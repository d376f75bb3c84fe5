"""How a Redis store works."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import with_config

from jobcore import StoreError

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

_MOST: Final = 256
"""How many partitions there may be: each is asked when there is little to claim."""

_LEAST: Final = timedelta(milliseconds=1)


@with_config(extra="forbid")
@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """How a Redis store works.

    Every key begins with *prefix*, and stores of another *namespace* are none of this
    one's. Both are made of letters, digits, hyphens and underscores. The jobs are
    spread over so many *partitions*, each on one machine of a cluster, where there are
    12 of them by default; the number belongs to the data, and another is refused. A
    call that gets no answer within *call_timeout* is given up with its connection.

    Where *wait_replicas* is not 0, a job is submitted, or its claim ended, once so many
    replicas have it as well; else, when *wait_timeout* is over, `NotReplicatedError` is
    raised. What was written stands then, and repeating the call is to wait on.
    """

    prefix: str = "jobcore"
    namespace: str = "default"
    partitions: int | None = None
    call_timeout: timedelta = timedelta(seconds=15)
    wait_replicas: int = 0
    wait_timeout: timedelta = timedelta(seconds=1)

    def __post_init__(self) -> None:
        for kind in ("prefix", "namespace"):
            name = getattr(self, kind)
            if not _NAME.fullmatch(name):
                problem = (
                    f"the {kind} {name!r:.80} is not made of 1 to 64 letters, digits, "
                    "hyphens and underscores"
                )
                raise StoreError(problem)
        if self.wait_replicas < 0:
            problem = f"{self.wait_replicas} replicas cannot be waited for"
            raise StoreError(problem)
        if self.wait_replicas and not _LEAST <= self.wait_timeout < self.call_timeout:
            problem = "wait_timeout is not between a millisecond and call_timeout"
            raise StoreError(problem)
        if self.partitions is not None and not 0 < self.partitions <= _MOST:
            problem = f"{self.partitions} partitions are not 1 to {_MOST}"
            raise StoreError(problem)
