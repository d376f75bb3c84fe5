"""A memory store whose calls are kept waiting, refused, or lose their replies."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

from jobcore import (
    Answer,
    Claim,
    ClaimRequest,
    ClaimResult,
    Filter,
    InMemoryJobStore,
    Inserted,
    Job,
    JobStore,
    NewJob,
    Renewal,
    Statistics,
    StoreUnavailableError,
    Transition,
)

A = TypeVar("A")
T = TypeVar("T")


@dataclass
class Gate:
    """Where a call waits: `reached` tells that it came, `opened` lets it through."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


class FaultyStore(InMemoryJobStore):
    """Faults are ordered by the name of the verb, each for one call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.gates: dict[str, Gate] = {}
        self.failures: defaultdict[str, list[Exception]] = defaultdict(list)
        self.lost_replies: Counter[str] = Counter()
        self.answers: list[Answer] = []
        self.batches: list[int] = []

    def gate(self, verb: str) -> Gate:
        return self.gates.setdefault(verb, Gate())

    def fail(self, verb: str, *errors: Exception) -> None:
        self.failures[verb] += errors

    def lose_reply(self, verb: str) -> None:
        self.lost_replies[verb] += 1

    def answer(self, *answers: Answer) -> None:
        """Let the next writes be answered so, without effect."""
        self.answers += answers

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        self.batches.append(len(jobs))
        return await self._call("insert", partial(super().insert, jobs))

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        return await self._call("get", partial(super().get, ids, attempts=attempts))

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        return await self._call("claim", partial(super().claim, request))

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        return await self._call("apply", partial(self._apply_or_answer, transitions))

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        return await self._call("renew", partial(super().renew, claims, lease))

    async def expired(self, limit: int) -> list[Claim]:
        return await self._call("expired", partial(super().expired, limit))

    async def statistics(self) -> Statistics:
        return await self._call("statistics", super().statistics)

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        return await self._call("delete", partial(super().delete, filter, limit))

    async def _apply_or_answer(self, transitions: Sequence[Transition]) -> list[Answer]:
        if self.answers:
            return [self.answers.pop(0)] * len(transitions)
        return await super().apply(transitions)

    async def _call(self, verb: str, act: Callable[[], Awaitable[T]]) -> T:
        self.calls[verb] += 1
        if verb in self.gates:
            self.gates[verb].reached.set()
            await self.gates[verb].opened.wait()
        if self.failures[verb]:
            raise self.failures[verb].pop(0)
        result = await act()
        if self.lost_replies[verb]:
            self.lost_replies[verb] -= 1
            raise StoreUnavailableError("the reply was lost")
        return result


class PlainStore(InMemoryJobStore):
    """A store without abilities."""

    def ability(self, kind: type[A]) -> A | None:
        return self if kind is JobStore and isinstance(self, kind) else None
