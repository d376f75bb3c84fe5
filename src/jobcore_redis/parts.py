"""All partitions of a store: a batch goes to those that its items belong to."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from jobcore import Job
from jobcore_redis.calls import Calls
from jobcore_redis.keys import Partition
from jobcore_redis.part import Part
from jobcore_redis.problems import NotReplicatedError
from jobcore_redis.server import Server

T = TypeVar("T")
Item = TypeVar("Item")


_AT_ONCE: Final = 4
"""How many scripts of one call are on their way at a time: others have room between
them, and connections are left for them."""


class Parts:
    """The partitions that *server* has since it was opened, by a clock that is shifted
    by what *offset* says."""

    def __init__(self, server: Server, offset: Callable[[], timedelta]) -> None:
        self._server = server
        self._offset = offset
        self._all: list[Part] = []

    def open(self) -> None:
        self._all = [
            Part(Calls(self._server, each, self._offset))
            for each in self._server.partitions.all
        ]

    @property
    def all(self) -> Sequence[Part]:
        """StoreNotOpenError where they may not be used from here."""
        self._server.usable()
        return self._all

    def at(self, partition: Partition) -> Part:
        return self.all[partition.number]

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        """The jobs in the order asked, None for what is not there."""
        return await self.spread(
            ids, str, lambda part, some: part.get(some, attempts=attempts), None
        )

    async def spread(
        self,
        items: Sequence[Item],
        id_of: Callable[[Item], str],
        act: Callable[[Part, Sequence[Item]], Awaitable[Sequence[T]]],
        otherwise: Any = None,
        *,
        most: int | None = None,
    ) -> list[T]:
        """What *act* answers for *items*, each in its partition, in their order, as a
        whole or the *most* at a time; and *otherwise* for those that belong to none.
        Where one is not replicated, that is raised when all have been asked."""
        if items and len(self.all) == 1 and len(items) <= (most or len(items)):
            return list(await act(self._all[0], items))
        by_part, _ = self.sorted(items, id_of)
        answers: list[T] = [otherwise] * len(items)
        problems: list[Exception] = []
        are_distinct = len(set(map(id_of, items))) == len(items)
        # A host's pool may be small, and in a cluster calls that meet a moved
        # partition at once break each other.
        at_once = _AT_ONCE if self._server.has_wire and are_distinct else 1
        turns = asyncio.Semaphore(at_once)

        async def ask(part: Part, places: Sequence[int]) -> None:
            async with turns:
                if not all(map(_may_go_on, problems)):
                    return
                try:
                    found = await act(part, [items[place] for place in places])
                except Exception as error:  # noqa: BLE001 - it is raised below
                    problems.append(error)
                    return
            for place, answer in zip(places, found, strict=True):
                answers[place] = answer

        asked = [
            ask(part, places[start : start + size])
            for part, places in by_part.items()
            for size in [most or len(places)]
            for start in range(0, len(places), size)
        ]
        await asyncio.gather(*asked)
        if problems:
            raise min(problems, key=_may_go_on)
        return answers

    def sorted(
        self, items: Sequence[Item], id_of: Callable[[Item], str]
    ) -> tuple[dict[Part, list[int]], list[int]]:
        """The places of *items*, by their partition, and of those that have none."""
        parts, partitions = self.all, self._server.partitions
        by_part: defaultdict[Part, list[int]] = defaultdict(list)
        nowhere: list[int] = []
        for place, item in enumerate(items):
            partition = partitions.of(id_of(item))
            if partition is None:
                nowhere.append(place)
            else:
                by_part[parts[partition.number]].append(place)
        return by_part, nowhere


def _may_go_on(problem: Exception) -> bool:
    """Whether others are still asked."""
    return isinstance(problem, NotReplicatedError)
