"""Calls to a store that are given up at random moments, as when their time is over: the
manager repeats them, and there is one effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count, cycle
from random import Random
from typing import Final, TypeVar

from jobcore import (
    DefaultJobManager,
    JobcoreError,
    JobStatus,
    JobStore,
    StoreUnavailableError,
    store_from_url,
)
from jobcore.wrappers import InstrumentedStore
from jobcore.wrappers.observing import Watch
from tools.faults.acts import ACTS
from tools.faults.calls import CallReport
from tools.faults.scene import unsound
from tools.faults.stage import CONFIG, Facts, Stage
from tools.faults.way import Way

T = TypeVar("T")

_DOUBLINGS: Final = 9
"""How far moments lie apart: from one pass of the event loop to 2 ** 9 of them."""


class _Haste(Watch):
    """Gives up one call, when so many *passes* of the event loop have gone by."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)
        self.passes: int | None = None

    async def __call__(
        self,
        verb: str,
        call: Awaitable[T],
        jobs: int | Callable[[T], int] = 0,  # noqa: ARG002 - nobody is told
    ) -> T:
        asked = asyncio.ensure_future(call)
        while self.passes and not asked.done():
            self.passes -= 1
            await asyncio.sleep(0)
        if self.passes == 0 and asked.cancel():
            await asyncio.wait({asked})
            self.passes = None
            if asked.cancelled():
                raise StoreUnavailableError(f"{verb} took too long")
        return await asked


class HastyStore(InstrumentedStore):
    """Gives up calls to *wrapped*."""

    def __init__(self, wrapped: JobStore) -> None:
        super().__init__(wrapped, lambda _: None)
        self._watch: _Haste = _Haste()

    def hurry(self, passes: int) -> None:
        """Give up the call during which that many passes have gone by in calls."""
        self._watch.passes = passes

    @property
    def has_given_up(self) -> bool:
        """Whether it did."""
        return self._watch.passes is None


@dataclass(frozen=True, slots=True)
class _Usual:
    """What an act makes of its jobs, and what it answers, when nothing happens."""

    facts: Facts
    answer: object


class GivingUp:
    """Lets the store *far* give up calls, and looks at the jobs by *store*."""

    def __init__(self, far: HastyStore, store: JobStore, random: Random) -> None:
        self._far = far
        self._store = store
        self._random = random
        self._near = DefaultJobManager(store, CONFIG)
        self._names = map("given-up-{}".format, count())
        self._report = CallReport()

    async def run(self, times: int) -> CallReport:
        """Give up *times* calls, of each act in turn."""
        async with self._near, DefaultJobManager(self._far, CONFIG) as jobs:
            usual = {name: await self._usual(name) for name in ACTS}
            turns = cycle(ACTS)
            while self._report.calls < times:
                name = next(turns)
                await self._try(jobs, name, usual[name])
        return self._report

    async def _usual(self, name: str) -> _Usual:
        stage, act = self._stage(), ACTS[name]
        answer = await act.do(self._near, await act.ready(stage))
        return _Usual(await stage.facts(), answer)

    async def _try(self, jobs: DefaultJobManager, name: str, usual: _Usual) -> None:
        stage, act, report = self._stage(), ACTS[name], self._report
        made = await act.ready(stage)
        self._far.hurry(int(2 ** self._random.uniform(0, _DOUBLINGS)))
        try:
            answer = await act.do(jobs, made)
        except JobcoreError as error:
            answer = error  # which is not what is to be answered
        if not self._far.has_given_up:
            return
        report.calls += 1
        after = await stage.facts()
        await stage.clear()
        if after != usual.facts and _is_short(usual, after, answer):
            report.undone += 1
            return
        if answer != usual.answer:
            report.refused.append(f"{name}: {answer!r} is answered")
        if after == usual.facts:
            report.done += 1
        else:
            report.otherwise.append(f"{name}: {after} instead of {usual.facts}")

    def _stage(self) -> Stage:
        return Stage(self._store, self._near, next(self._names))


def _is_short(usual: _Usual, after: Facts, answer: object) -> bool:
    """Whether a claim was given up between two partitions, and answers with what it had
    taken in the first: a repeat takes no more where it finds some."""
    running = JobStatus.IN_PROGRESS
    return usual.facts.counts[running] > after.counts[running] == answer


async def give_up_calls(random: Random, way: Way, times: int) -> CallReport:
    """To a store that is on its *way*."""
    hasty = HastyStore(store_from_url(way.url))
    async with store_from_url(way.url) as store, hasty as far:
        report = await GivingUp(far, store, random).run(times)
        report.left += [*await way.left_by(far.wrapped), *await unsound(store)]
        return report
