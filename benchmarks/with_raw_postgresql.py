"""What asyncpg and PostgreSQL allow with the store's own tables, connections and
statements, in batches of 100. No job is built and no lease renewed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_hex
from types import TracebackType
from typing import Self

import bare
from contestant import Contestant, Journal, Offer, Order, main

LEFT = "SELECT count(*) FROM jobs WHERE status <> 'completed'"
WRONG = (
    "SELECT count(*) FROM jobs WHERE attempt <> 1 OR result IS DISTINCT FROM payload"
)

Batch = tuple[str, list[str], list[bytes]]
"""A token, and the ids and payloads of what was claimed with it."""


class RawPostgreSQL(Contestant):
    package = "asyncpg"
    offers = (
        Offer(
            store="postgresql",
            works=frozenset({"one", "bulk", "drain", "two"}),
            settings="the tables, connections and statements of jobcore, prepared; an "
            "INSERT of one row that commits by itself; COPY of 1000 rows; claims of "
            "100 on one connection, and on another beside it their ends with a result",
        ),
        Offer(
            store="postgresql",
            variant="unnest",
            works=frozenset({"bulk"}),
            settings="INSERT of 1000 rows, listed in arrays",
        ),
    )

    def __init__(self, order: Order, journal: Journal) -> None:
        super().__init__(order, journal)
        self._exits = AsyncExitStack()
        self._inserting = bare.inserting()
        self._row = self._inserting.values()
        names = self._inserting.statement.names
        self._own = [names.index(name) for name in bare.ROW[:2]]
        self._same = [self._row[names.index(name)] for name in bare.ROW[2:]]

    async def __aenter__(self) -> Self:
        connections = bare.connections(self.order.url, 3)
        found = await self._exits.enter_async_context(connections)
        self._claims, self._ends, self._look = found
        self._insert = await self._claims.prepare(self._inserting.text)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def submit(self, number: int) -> None:
        for place, value in zip(self._own, _own(number), strict=True):
            self._row[place] = value
        await self._insert.fetch(*self._row)

    async def submit_many(self, numbers: Sequence[int]) -> None:
        own = map(_own, numbers)
        if self.order.variant:
            many = bare.inserting_many()
            ids, payloads = zip(*own, strict=True)
            values = many.values(new_id_list=ids, new_payload_list=payloads)
            await self._claims.fetch(many.text, *values)
        else:
            rows = [(*each, *self._same) for each in own]
            await self._claims.copy_records_to_table(
                "jobs", records=rows, columns=bare.ROW
            )

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        claimed = asyncio.Queue[Batch | None](maxsize=1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._claim_all(claimed))
            tasks.create_task(self._end_all(claimed))
            yield

    async def _claim_all(self, claimed: asyncio.Queue[Batch | None]) -> None:
        claiming, note = bare.claiming(), self.journal.note
        claim = await self._claims.prepare(claiming.text)
        while True:
            token = token_hex(16)
            rows = await claim.fetch(*claiming.values(holder=token))
            if not rows:
                break
            payloads = [row["payload"] for row in rows]
            for payload in payloads:
                note(int(payload))
            await claimed.put((token, [row["id"] for row in rows], payloads))
        await claimed.put(None)

    async def _end_all(self, claimed: asyncio.Queue[Batch | None]) -> None:
        ending = bare.ending()
        end = await self._ends.prepare(ending.text)
        while batch := await claimed.get():
            token, ids, results = batch
            values = ending.values(
                new_token=token,
                new_receipt=f"{token}:succeeded",
                new_id_list=ids,
                new_result_list=results,
            )
            ended = 0
            while ended < len(ids):  # another's claim locks, in passing, what we hold
                ended += await end.fetchval(*values)

    async def left(self) -> int:
        left: int = await self._look.fetchval(LEFT)
        return left

    async def complaints(self) -> Sequence[str]:
        wrong = await self._look.fetchval(WRONG)
        return [f"{wrong} x not as it should be"] if wrong else []


def _own(number: int) -> tuple[str, bytes]:
    """An id as long as that of jobcore, which rises, and a payload."""
    return f"{number:036}", b"%d" % number


if __name__ == "__main__":
    main(RawPostgreSQL)
