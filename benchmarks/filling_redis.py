"""Filling a store on Redis: a job of each kind is copied, with all that finds it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from jobcore import JobStatus
from jobcore_redis import RedisOptions
from jobcore_redis.connect import address
from jobcore_redis.keys import Partitions

Copy = tuple[str, JobStatus, int, int]
"""The id of a pattern and its status; a number of its own, and how many copies."""

QUEUES = 5
_PAGE = 500
_STEP = 1000
"""The microseconds between a job and the next of its status."""
# Where the fields of a state are, as `lua/_record.lua` has them.
_DUE, _HOLDER, _FINISHED, _QUEUE = 3, 8, 12, 19


async def fill_redis(url: str, copies: Sequence[Copy]) -> None:
    """Make the *copies*, in `QUEUES` queues."""
    place, options = address(url, RedisOptions())
    client: Any  # what it answers depends on how it was made
    partition = Partitions(options, 1).all[0]
    async with Redis.from_url(place.geturl()) as client:
        for pattern, status, number, count in copies:
            first = await client.hget(partition.key("jobs"), pattern)
            state = await client.hget(partition.key("states"), pattern)
            result = await client.hget(partition.key("results"), pattern)
            model = _Pattern(status, number, first, state, result)
            for start in range(1, count + 1, _PAGE):
                for n in range(start, min(start + _PAGE, count + 1)):
                    model.copy(n)
                async with client.pipeline(transaction=False) as pipeline:
                    for name, fields in model.hashes.items():
                        pipeline.hset(partition.key(name), mapping=fields)
                    for name, members in model.sets.items():
                        scores = dict.fromkeys(members, 0)
                        pipeline.zadd(partition.key(name), scores)
                    await pipeline.execute()
                model.hashes.clear()
                model.sets.clear()
            for queue, n in model.counts.items():
                name = f"{queue.decode()}\t{status}"
                await client.hincrby(partition.key("counts"), name, n)


class _Pattern:
    """A job, and what is to be written of its copies."""

    def __init__(
        self,
        status: JobStatus,
        number: int,
        first: bytes,
        state: bytes | None,
        result: bytes | None,
    ) -> None:
        self._status = status
        self._number = number
        self._created, self._due = int(first[:16]), int(first[17:33])
        self._tail = first[33:]
        self._rank = first[37:].split(b"\t")[1]
        self._state = state and state.split(b"\t")
        self._result = result
        self.hashes: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        self.sets: defaultdict[str, list[bytes]] = defaultdict(list)
        self.counts: Counter[bytes] = Counter()

    def copy(self, n: int) -> None:
        job_id = f"{self._number:08x}-0000-7000-8000-{200_000_000_000 - n}"
        queue = b"queue-%d" % (n % QUEUES)
        later = n if self._status is JobStatus.SCHEDULED else -n
        due = b"%016d" % (self._due + later * _STEP)
        created = b"%016d" % (self._created - n * _STEP)
        tail = self._tail.replace(b"\tqueue-0\t", b"\t%b\t" % queue, 1)
        self.hashes["jobs"][job_id] = b"%b\t%b%b" % (created, due, tail)
        self.sets["ids"].append(job_id.encode())
        place = b"%b%b%b" % (self._rank, due, job_id.encode())
        if self._state is not None:
            state = [*self._state]
            state[_DUE], state[_QUEUE] = due, queue
            if self._status is JobStatus.HELD:
                self.sets["held"].append(b"%b\t%b" % (state[_HOLDER], place))
            else:
                state[_FINISHED] = b"%016d" % (int(state[_FINISHED]) - n * _STEP)
                member = f"{self._status}\t{state[_FINISHED].decode()}{job_id}"
                self.sets["finished"].append(member.encode())
            self.hashes["states"][job_id] = b"\t".join(state)
        elif self._status is JobStatus.SCHEDULED:
            self.sets["scheduled"].append(due + job_id.encode())
        else:
            self.sets["queued"].append(b"%b\t%b" % (queue, place))
        if self._result is not None:
            self.hashes["results"][job_id] = self._result
        self.counts[queue] += 1
