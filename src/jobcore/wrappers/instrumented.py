"""A store whose calls are told to an observer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from jobcore.abilities import (
    Examinable,
    Explainable,
    QueueControl,
    ScheduleStore,
    TransactionalStore,
    Verifiable,
    WorkerDirectory,
)
from jobcore.claim import Claim, ClaimRequest, ClaimResult, Promotion, Renewal
from jobcore.job import Inserted, Job, NewJob
from jobcore.query import Filter, Page, Statistics
from jobcore.store import JobStore
from jobcore.transition import Answer, Transition
from jobcore.wrappers.base import StoreWrapper
from jobcore.wrappers.observed import (
    ObservedControl,
    ObservedDirectory,
    ObservedExamination,
    ObservedExplaining,
    ObservedSchedules,
    ObservedTransactions,
    ObservedVerification,
)
from jobcore.wrappers.observing import Observer, Watch

A = TypeVar("A")

_OBSERVED: Final[dict[type, Callable[[Any, Watch], Any]]] = {
    QueueControl: ObservedControl,
    WorkerDirectory: ObservedDirectory,
    ScheduleStore: ObservedSchedules,
    Explainable: ObservedExplaining,
    Examinable: ObservedExamination,
    Verifiable: ObservedVerification,
    TransactionalStore: ObservedTransactions,
}


class InstrumentedStore(StoreWrapper):
    """Tells *observe* of each call to *wrapped*: which verb, how long it took, how many
    jobs it was about, and what it raised.

    The calls of the abilities of `jobcore.abilities` are told, too. Nothing is told of
    what calls no store (`new_id`, `insert_statement`, `trial`), nor of `wait`, which
    takes as long as there is nothing to do.
    """

    def __init__(self, wrapped: JobStore, observe: Observer) -> None:
        super().__init__(wrapped)
        self._watch = Watch(observe)

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        return await self._watch("insert", super().insert(jobs), len(jobs))

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        return await self._watch("get", super().get(ids, attempts=attempts), len(ids))

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        return await self._watch(
            "claim", super().claim(request), lambda result: len(result.claims)
        )

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        return await self._watch("apply", super().apply(transitions), len(transitions))

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        return await self._watch("renew", super().renew(claims, lease), len(claims))

    async def expired(self, limit: int) -> list[Claim]:
        return await self._watch("expired", super().expired(limit), len)

    async def promote(self, limit: int) -> Promotion:
        return await self._watch(
            "promote", super().promote(limit), lambda promotion: promotion.promoted
        )

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        call = super().find(filter, cursor, limit)
        return await self._watch("find", call, lambda page: len(page.jobs))

    async def statistics(self) -> Statistics:
        return await self._watch("statistics", super().statistics())

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        return await self._watch("delete", super().delete(filter, limit), int)

    def ability(self, kind: type[A]) -> A | None:
        found = super().ability(kind)
        observed = _OBSERVED.get(kind)
        if found is None or observed is None:
            return found
        told: A = observed(found, self._watch)
        return told
