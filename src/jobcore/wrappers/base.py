"""What wrappers of a store begin with: all that is asked is passed on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from types import TracebackType
from typing import Self, TypeVar

from jobcore.claim import Claim, ClaimRequest, ClaimResult, Promotion, Renewal
from jobcore.identity import Tick
from jobcore.job import Inserted, Job, NewJob
from jobcore.query import Filter, Page, Statistics
from jobcore.store import JobStore
from jobcore.transition import Answer, Transition

A = TypeVar("A")


class StoreWrapper(JobStore):
    """Passes every call on to the store that it wraps; subclasses change some.

    It takes the place of that store, which is therefore handed over before it is open:
    `async with` opens it and closes it. Its clock and its source of randomness are
    those of the wrapper. An ability is answered as the wrapped store has it, unless the
    wrapper is one itself.
    """

    def __init__(self, wrapped: JobStore) -> None:
        self.wrapped: JobStore = wrapped

    @property
    def offset(self) -> timedelta:
        return self.wrapped.offset

    @offset.setter
    def offset(self, offset: timedelta) -> None:
        self.wrapped.offset = offset

    @property
    def random(self) -> Random:
        return self.wrapped.random

    @random.setter
    def random(self, random: Random) -> None:
        self.wrapped.random = random

    async def __aenter__(self) -> Self:
        await self.wrapped.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.wrapped.__aexit__(kind, error, traceback)

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        return await self.wrapped.insert(jobs)

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        return await self.wrapped.get(ids, attempts=attempts)

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        return await self.wrapped.claim(request)

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        return await self.wrapped.apply(transitions)

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        return await self.wrapped.renew(claims, lease)

    async def expired(self, limit: int) -> list[Claim]:
        return await self.wrapped.expired(limit)

    async def promote(self, limit: int) -> Promotion:
        return await self.wrapped.promote(limit)

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        return await self.wrapped.find(filter, cursor, limit)

    async def statistics(self) -> Statistics:
        return await self.wrapped.statistics()

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        return await self.wrapped.delete(filter, limit)

    def new_id(self, job: NewJob, tick: Tick | None = None) -> str:
        return self.wrapped.new_id(job, tick)

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        await self.wrapped.wait(queues, worker, timeout)

    def ability(self, kind: type[A]) -> A | None:
        own = super().ability(kind)
        return self.wrapped.ability(kind) if own is None else own
