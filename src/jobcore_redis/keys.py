"""What the keys are called, and in which partition a job lies."""

from __future__ import annotations

from functools import cache
from hashlib import sha1
from itertools import count
from typing import Final

from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.crc import key_slot

from jobcore import NewJob, Tick
from jobcore_redis.options import RedisOptions

_MARK: Final = "."
"""Stands between an id and the number of its partition, and within a tag."""


class Partition:
    """Keys that lie on one machine, as they share the tag that Redis hashes."""

    def __init__(self, options: RedisOptions, number: int, of: int) -> None:
        self.number = number
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._stem = f"{options.prefix}:{{{_tag(options.namespace, number, of)}}}:"

    def key(self, name: str) -> str:
        """The key of one of its parts."""
        return self._stem + name

    def keys(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The keys of several, which are always asked for together."""
        known = self._known.get(names)
        if known is None:
            known = self._known[names] = tuple(map(self.key, names))
        return known


@cache
def _tag(namespace: str, number: int, of: int) -> str:
    """What is hashed to the partition's even share of a cluster's slots."""
    first, last = SLOTS * number // of, SLOTS * (number + 1) // of
    tags = (f"{namespace}{_MARK}{number}{_MARK}{each}" for each in count())
    return next(each for each in tags if first <= key_slot(each.encode()) < last)


class Partitions:
    """All of them; the id of a job carries the number of its own, if there are more
    than one."""

    def __init__(self, options: RedisOptions, number: int) -> None:
        self.all: tuple[Partition, ...] = tuple(
            Partition(options, each, number) for each in range(number)
        )

    def named(self, job_id: str, job: NewJob, tick: Tick | None) -> str:
        """*job_id* with the number of the partition that *job* belongs to: that of its
        limit key, else of its unique key, else of its schedule, else any."""
        if len(self.all) == 1:
            return job_id
        if job.limit_key is not None:
            partition = self.of_limit(job.limit_key)
        elif job.unique_key is not None:
            partition = self.of_unique_key(job.task, job.unique_key)
        elif tick is not None:
            partition = self.of_schedule(tick.schedule)
        else:
            partition = self._of(job_id)
        return f"{job_id}{_MARK}{partition.number}"

    def of(self, job_id: str) -> Partition | None:
        """Where the job of this id lies, if anywhere."""
        if len(self.all) == 1:
            return self.all[0]
        _, mark, number = job_id.rpartition(_MARK)
        is_one = mark and number.isdecimal() and int(number) < len(self.all)
        return self.all[int(number)] if is_one else None

    def of_limit(self, key: str) -> Partition:
        """Where the jobs of a limit key lie."""
        return self._of(f"limit:{key}")

    def of_schedule(self, name: str) -> Partition:
        """Where a schedule lies: with the jobs that have its name as limit key."""
        return self.of_limit(f"schedule:{name}")

    def of_unique_key(self, task: str, key: str) -> Partition:
        """Where it is kept who has a unique key."""
        return self._of(f"unique:{task}:{key}")

    def _of(self, text: str) -> Partition:
        digest = sha1(text.encode(), usedforsecurity=False).digest()
        return self.all[int.from_bytes(digest[:4], "big") % len(self.all)]
