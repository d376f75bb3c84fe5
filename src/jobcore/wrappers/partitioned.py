"""Several stores as one, each of which has a part of the jobs."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from heapq import merge
from itertools import count, islice
from operator import attrgetter
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from jobcore.abilities import (
    Examinable,
    Explainable,
    QueueControl,
    ScheduleStore,
    Verifiable,
    WorkerDirectory,
)
from jobcore.claim import Claim, ClaimRequest, ClaimResult, Promotion, Renewal
from jobcore.errors import InvalidJobError
from jobcore.identity import Tick
from jobcore.job import Inserted, Job, NewJob
from jobcore.query import Filter, Page, Statistics
from jobcore.store import JobStore
from jobcore.transition import Answer, Transition
from jobcore.wrappers.merging import all_of, one_claim, one_count, one_page
from jobcore.wrappers.routing import Rule, keys_together, marked, place_of
from jobcore.wrappers.shared import (
    SharedControl,
    SharedExamination,
    SharedExplaining,
    SharedSchedules,
    SharedVerification,
)

A = TypeVar("A")
Item = TypeVar("Item")
T = TypeVar("T")

_SHARED: Final[Mapping[type, Callable[[Any], object]]] = {
    QueueControl: SharedControl,
    Examinable: SharedExamination,
    Verifiable: SharedVerification,
}
"""How an ability is had that every store has."""


class PartitionedStore(JobStore):
    """Spreads jobs over *stores* by a *rule*; see `jobcore.wrappers.routing`.

    The stores are handed over before they are open: `async with` opens and closes them.
    None of them is partitioned itself, nor has jobs that came another way. Their order
    is part of their data, as the id of a job tells the place of its store.

    What is one step in one store is one step per store here: a batch of jobs that
    fails may have been inserted in some. Claims begin at another store each time and go
    on to the next where that had too few; order is kept within a store. All of them
    have to be there: a call that needs one that is not fails, and is worth repeating.

    It has `QueueControl`, `Explainable`, `Examinable` and `Verifiable` where all stores
    have them. The first store keeps the `WorkerDirectory` and the schedules, whose jobs
    are spread like others. There is no transaction over several stores.
    """

    def __init__(self, stores: Sequence[JobStore], rule: Rule = keys_together) -> None:
        if not stores:
            raise ValueError("there must be at least one store")
        self._stores = tuple(stores)
        self._rule = rule
        self._turn = count()
        self._opened: AsyncExitStack[bool | None] = AsyncExitStack()

    @property
    def offset(self) -> timedelta:
        return self._stores[0].offset

    @offset.setter
    def offset(self, offset: timedelta) -> None:
        for store in self._stores:
            store.offset = offset

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:
            for store in self._stores:
                await opened.enter_async_context(store)
            self._opened = opened.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.__aexit__(kind, error, traceback)

    def new_id(self, job: NewJob, tick: Tick | None = None) -> str:
        job_id = super().new_id(job, tick)
        place = self._rule(replace(job, id=job_id), len(self._stores))
        if not 0 <= place < len(self._stores):
            raise ValueError(f"the rule leads to store {place}, which is not there")
        return marked(job_id, place)

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        lost = [job.id for job in jobs if self._place_of(job.id) is None]
        if lost:
            raise InvalidJobError("id", f"tells of no store here: {lost[0]!r}")
        answers = await self._spread(
            jobs, attrgetter("id"), lambda store, some: store.insert(some)
        )
        return [each for each in answers if each is not None]

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        return await self._spread(
            ids, str, lambda store, some: store.get(some, attempts=attempts)
        )

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        if request.repeated:
            own = await self._claimed_before(request)
            if own.claims:
                return own
        results: list[ClaimResult] = []
        wanted, left = request.limit, request.bound
        for store in self._from_another_on():
            if not wanted or not left:
                break
            part = replace(request, limit=min(wanted, left), most=left, repeated=False)
            results.append(await store.claim(part))
            wanted -= len(results[-1].claims)
            left -= results[-1].examined
        return one_claim(results, request)

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        answers = await self._spread(
            transitions, attrgetter("job_id"), lambda store, some: store.apply(some)
        )
        return [each or Answer.MISSING for each in answers]

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        by_place = self._by_place([claim.job_id for claim in claims])
        lost = {claims[index].job_id for index in by_place.pop(None, ())}
        renewals = await all_of(
            self._stores[place].renew([claims[index] for index in indexes], lease)
            for place, indexes in by_place.items()
            if place is not None
        )
        return Renewal(
            frozenset(lost.union(*(each.lost for each in renewals))),
            frozenset(job_id for each in renewals for job_id in each.requested),
        )

    async def expired(self, limit: int) -> list[Claim]:
        found = await all_of(each.expired(limit) for each in self._stores)
        oldest = attrgetter("job.lease_until", "job_id")
        return list(islice(merge(*found, key=oldest), limit))

    async def promote(self, limit: int) -> Promotion:
        promoted, waits = 0, list[timedelta]()
        for store in self._from_another_on():
            if promoted == limit:
                # There may be more that are due, in a store that was not asked.
                waits.append(timedelta(0))
                break
            promotion = await store.promote(limit - promoted)
            promoted += promotion.promoted
            if promotion.next_due_in is not None:
                waits.append(promotion.next_due_in)
        return Promotion(promoted, min(waits, default=None))

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        calls = (each.find(filter, cursor, limit) for each in self._stores)
        return one_page(await all_of(calls), limit)

    async def statistics(self) -> Statistics:
        return one_count(await all_of(each.statistics() for each in self._stores))

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        deleted = 0
        for store in self._from_another_on():
            if deleted < limit:
                deleted += await store.delete(filter, limit - deleted)
        return deleted

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        waits = [
            asyncio.ensure_future(each.wait(queues, worker, timeout))
            for each in self._stores
        ]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        for each in done:
            each.result()

    def ability(self, kind: type[A]) -> A | None:
        shared: object = None
        if kind in _SHARED:
            parts = self._abilities(kind)
            shared = _SHARED[kind](parts) if parts else None
        elif kind is Explainable:
            able = self._abilities(Explainable)
            shared = SharedExplaining(able, self._place_of) if able else None
        elif kind is WorkerDirectory:
            shared = self._stores[0].ability(WorkerDirectory)
        elif kind is ScheduleStore:
            kept = self._stores[0].ability(ScheduleStore)
            shared = kept and SharedSchedules(kept, self._is_in_the_first, self.insert)
        return shared if isinstance(shared, kind) else super().ability(kind)

    def _abilities(self, kind: type[A]) -> list[A]:
        """The ability of every store, or nothing where one has none."""
        found = [each.ability(kind) for each in self._stores]
        abilities = [each for each in found if each is not None]
        return abilities if len(abilities) == len(found) else []

    async def _claimed_before(self, request: ClaimRequest) -> ClaimResult:
        """What a claim that may have been made before holds by now, and nothing new."""
        asked = replace(request, limit=0)
        return one_claim(
            await all_of(each.claim(asked) for each in self._stores), request
        )

    def _from_another_on(self) -> Iterator[JobStore]:
        """All stores, each time another first, so that none always comes last."""
        first = next(self._turn) % len(self._stores)
        yield from self._stores[first:]
        yield from self._stores[:first]

    def _is_in_the_first(self, job_id: str) -> bool:
        return self._place_of(job_id) == 0

    def _place_of(self, job_id: str) -> int | None:
        return place_of(job_id, len(self._stores))

    def _by_place(self, ids: Sequence[str]) -> dict[int | None, list[int]]:
        """The indexes of *ids* by the place of their store; None has those of none."""
        by_place: defaultdict[int | None, list[int]] = defaultdict(list)
        for index, job_id in enumerate(ids):
            by_place[self._place_of(job_id)].append(index)
        return dict(by_place)

    async def _spread(
        self,
        items: Sequence[Item],
        id_of: Callable[[Item], str],
        ask: Callable[[JobStore, Sequence[Item]], Awaitable[Sequence[T]]],
    ) -> list[T | None]:
        """What *ask* answers for each of *items* in its store, None for one of none."""
        answers: list[T | None] = [None] * len(items)

        async def answer(store: JobStore, indexes: Sequence[int]) -> None:
            some = [items[index] for index in indexes]
            for index, each in zip(indexes, await ask(store, some), strict=True):
                answers[index] = each

        by_place = self._by_place([id_of(each) for each in items])
        await all_of(
            answer(self._stores[place], indexes)
            for place, indexes in by_place.items()
            if place is not None
        )
        return answers
