"""What a contestant can do, and the acts that each is measured by.

A contestant is a script `with_<name>.py` that ends in `main(Subclass)`. It is started
with one argument, an `Order` as JSON, plays one role and says what it saw in lines of
JSON. This module needs the standard library only, as every contestant imports it from
an environment of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from platform import python_version
from types import TracebackType
from typing import Any, ClassVar, Self

SUBMITS = frozenset({"one", "tasks", "bulk"})
"""The ways to submit: one after the other, in 50 tasks at once, 1000 in one call."""
BULK = 1000
CALLERS = 50
QUIET = 0.02
"""Seconds between two looks at the journal. The store is asked only when no handler
has started since the last look, so that a drain is not disturbed."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What one process is to do. *way* is how a submitter submits; *nap* how long each
    job sleeps; *fill* says that a worker submits its jobs itself, and *check* that it
    looks at each of them afterwards."""

    role: str
    store: str = "memory"
    variant: str = ""
    url: str = "memory://"
    jobs: int = 0
    concurrency: int = 100
    way: str = "bulk"
    nap: float = 0.0
    fill: bool = False
    check: bool = False
    pause: float = 0.1


class Journal:
    """Who was started when, kept apart from any store."""

    def __init__(self) -> None:
        self.starts: list[tuple[int, int]] = []

    def note(self, number: int) -> None:
        """Job *number* has been started."""
        self.starts.append((number, time.monotonic_ns()))


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a contestant does on one store, in one *variant* of its settings.

    *works* are `SUBMITS`, and `drain`, `two` (workers at once), `nap` and `latency`.
    *settings* tell what a reader must know to do the same, and what the figures
    include. *share* is the part of the jobs that it is given where all of them would
    take too long.
    """

    store: str
    works: frozenset[str]
    settings: str
    variant: str = ""
    share: float = 1.0


class Contestant(ABC):
    """One library on one store, between `__aenter__` and `__aexit__`.

    Job *n* calls a handler with *n*, which notes it in the journal, sleeps for the
    order's *nap* and ends.
    """

    package: ClassVar[str]
    """The distribution whose version is shown; none for plain Python."""
    offers: ClassVar[Sequence[Offer]]

    def __init__(self, order: Order, journal: Journal) -> None:
        self.order = order
        self.journal = journal

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    @abstractmethod
    async def submit(self, number: int) -> None:
        """Submit job *number*."""

    async def submit_many(self, numbers: Sequence[int]) -> None:
        """Submit jobs in the fastest way there is."""
        for number in numbers:
            await self.submit(number)

    @abstractmethod
    def working(self) -> AbstractAsyncContextManager[object]:
        """A worker that works beside the body."""

    @abstractmethod
    async def left(self) -> int:
        """How many jobs the store shows as not ended."""

    async def complaints(self) -> Sequence[str]:
        """What is wrong with what the store shows of the jobs, which have all ended.
        Empty, too, where it keeps nothing of them."""
        return ()


def say(event: str, **facts: Any) -> None:
    """Tell whoever gave the order."""
    line = json.dumps({"event": event, **facts}).encode() + b"\n"
    while line:  # as a profiler that looks in may cut a write short
        line = line[os.write(sys.stdout.fileno(), line) :]


async def told() -> None:
    """Wait for a line from whoever gave the order."""
    await asyncio.to_thread(sys.stdin.readline)


async def submit(contestant: Contestant) -> None:
    """Submit all jobs in the order's way, and say how long that took."""
    order = contestant.order
    say("ready")
    await told()
    cpu, began = time.process_time(), time.monotonic()
    await _SUBMIT[order.way](contestant, order.jobs)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    say("done", seconds=seconds, cpu=cpu, left=await contestant.left())


async def _one(contestant: Contestant, jobs: int) -> None:
    for number in range(jobs):
        await contestant.submit(number)


async def _tasks(contestant: Contestant, jobs: int) -> None:
    async def caller(first: int) -> None:
        for number in range(first, jobs, CALLERS):
            await contestant.submit(number)

    await asyncio.gather(*map(caller, range(CALLERS)))


async def _bulk(contestant: Contestant, jobs: int) -> None:
    for first in range(0, jobs, BULK):
        await contestant.submit_many(range(first, min(first + BULK, jobs)))


_SUBMIT: dict[str, Callable[[Contestant, int], Awaitable[None]]] = {
    "one": _one,
    "tasks": _tasks,
    "bulk": _bulk,
}


async def drain(contestant: Contestant) -> None:
    """Work until the store shows no job that has not ended, and say when that was."""
    order, starts = contestant.order, contestant.journal.starts
    if order.fill:
        await _bulk(contestant, order.jobs)
    say("ready")
    await told()
    cpu = time.process_time()
    async with contestant.working():
        seen = -1
        while len(starts) != seen or await contestant.left():
            seen = len(starts)
            await asyncio.sleep(QUIET)
        ended = time.monotonic_ns()
        cpu = time.process_time() - cpu
    complaints = list(await contestant.complaints()) if order.check else []
    say("done", ended=ended, cpu=cpu, starts=starts, complaints=complaints)


async def listen(contestant: Contestant) -> None:
    """Work until every job was started, and say when each was."""
    order, starts = contestant.order, contestant.journal.starts
    async with contestant.working():
        say("ready")
        while len(starts) < order.jobs:  # noqa: ASYNC110 - some handlers are threads
            await asyncio.sleep(order.pause)
    say("done", starts=starts)


async def call(contestant: Contestant) -> None:
    """Submit lone jobs, with a random pause before each, and say when each call was
    made."""
    order, calls = contestant.order, []
    say("ready")
    await told()
    for number in range(order.jobs):
        await asyncio.sleep(random.uniform(0.2, 1.8) * order.pause)
        calls.append((number, time.monotonic_ns()))
        await contestant.submit(number)
    say("done", calls=calls)


async def _play(kind: type[Contestant], order: Order) -> None:
    async with kind(order, Journal()) as contestant:
        await _ROLES[order.role](contestant)


_ROLES: dict[str, Callable[[Contestant], Awaitable[None]]] = {
    "submit": submit,
    "drain": drain,
    "listen": listen,
    "call": call,
}


def facts(kind: type[Contestant]) -> None:
    """Say what is to be known before the first order."""
    say(
        "facts",
        python=sys.executable,
        version=version(kind.package) if kind.package else python_version(),
        offers=[{**asdict(each), "works": sorted(each.works)} for each in kind.offers],
    )


def main(kind: type[Contestant]) -> None:
    """Carry out the order that is the script's argument."""
    order = Order(**json.loads(sys.argv[1]))
    if order.role == "facts":
        facts(kind)
    else:
        asyncio.run(_play(kind, order))
