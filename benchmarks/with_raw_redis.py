"""What redis-py and Redis allow: the least that takes jobs, starts them and keeps their
results, in batches of 100. No lease is renewed, no job built, no attempt recorded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self

from contestant import BULK, Contestant, Journal, Offer, Order, main
from redis.asyncio import Redis

BATCH = 100
LEASE = 30_000
QUEUED, LEASED, COMPLETED = "bare:queued", "bare:leased", "bare:completed"
JOB, RESULT = "bare:job:", "bare:result:"
INSERT = """
    local rows, members = {}, {}
    for place = 1, #ARGV, 2 do
        rows[place], rows[place + 1] = KEYS[2] .. ARGV[place], ARGV[place + 1]
        members[place], members[place + 1] = 0, ARGV[place]
    end
    redis.call('MSET', unpack(rows))
    redis.call('ZADD', KEYS[1], unpack(members))
"""
CLAIM = """
    local popped = redis.call('ZPOPMIN', KEYS[1], ARGV[1])
    if #popped == 0 then return {{}, {}} end
    local ids, rows, leases = {}, {}, {}
    for place = 1, #popped, 2 do
        local id = popped[place]
        ids[#ids + 1], rows[#rows + 1] = id, KEYS[3] .. id
        leases[place], leases[place + 1] = ARGV[2], id
    end
    redis.call('ZADD', KEYS[2], unpack(leases))
    return {ids, redis.call('MGET', unpack(rows))}
"""
COMPLETE = """
    local ids, results, ends = {}, {}, {}
    for place = 2, #ARGV, 2 do
        local id = ARGV[place]
        ids[#ids + 1] = id
        results[place - 1], results[place] = KEYS[3] .. id, ARGV[place + 1]
        ends[place - 1], ends[place] = ARGV[1], id
    end
    redis.call('MSET', unpack(results))
    redis.call('ZADD', KEYS[2], unpack(ends))
    return redis.call('ZREM', KEYS[1], unpack(ids))
"""

Batch = tuple[list[bytes], list[bytes]]
"""The ids and payloads of what was claimed at once."""


class RawRedis(Contestant):
    package = "redis"
    offers = (
        Offer(
            store="redis",
            works=frozenset({"one", "bulk", "drain", "two"}),
            settings="hiredis; scripts with variadic commands: jobs and results as "
            "strings, sorted sets of what is queued, leased and completed; inserts of "
            "one and of 1000; claims of 100 on one connection, and on another beside "
            "it their ends with a result",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._claims = await self._connected()
        self._ends = await self._connected()
        self._look = await self._connected()
        self._insert = self._claims.register_script(INSERT)
        self._claim = self._claims.register_script(CLAIM)
        self._complete = self._ends.register_script(COMPLETE)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def submit(self, number: int) -> None:
        await self.submit_many([number])

    async def submit_many(self, numbers: Sequence[int]) -> None:
        rows = [part for number in numbers for part in _row(number)]
        await self._insert([QUEUED, JOB], rows)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        claimed = asyncio.Queue[Batch | None](maxsize=1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._claim_all(claimed))
            tasks.create_task(self._complete_all(claimed))
            yield

    async def _claim_all(self, claimed: asyncio.Queue[Batch | None]) -> None:
        note = self.journal.note
        while True:
            until = time.time_ns() // 1_000_000 + LEASE
            ids, payloads = await self._claim([QUEUED, LEASED, JOB], [BATCH, until])
            if not ids:
                break
            for payload in payloads:
                note(int(payload))
            await claimed.put((ids, payloads))
        await claimed.put(None)

    async def _complete_all(self, claimed: asyncio.Queue[Batch | None]) -> None:
        while batch := await claimed.get():
            ends = [part for pair in zip(*batch, strict=True) for part in pair]
            now = time.time_ns() // 1_000_000
            ended = await self._complete([LEASED, COMPLETED, RESULT], [now, *ends])
            assert ended == len(batch[0])

    async def left(self) -> int:
        return int(await self._look.zcard(QUEUED) + await self._look.zcard(LEASED))

    async def complaints(self) -> Sequence[str]:
        right = 0
        for first in range(0, self.order.jobs, BULK):
            numbers = range(first, min(first + BULK, self.order.jobs))
            ids, expected = zip(*map(_row, numbers), strict=True)
            ends = await self._look.zmscore(COMPLETED, list(ids))
            results = await self._look.mget([f"{RESULT}{each}" for each in ids])
            found = zip(ends, results, expected, strict=True)
            right += sum(end and result == wanted for end, result, wanted in found)
        wrong = self.order.jobs - right
        return [f"{wrong} x not as it should be"] if wrong else []

    async def _connected(self) -> Any:
        client = Redis.from_url(self.order.url, single_connection_client=True)
        return await self._exits.enter_async_context(client)


def _row(number: int) -> tuple[str, bytes]:
    """An id as long as that of jobcore, which rises, and a payload."""
    return f"{number:036}", b"%d" % number


if __name__ == "__main__":
    main(RawRedis)
