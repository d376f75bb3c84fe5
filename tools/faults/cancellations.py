"""Calls that are cancelled at random moments: each is done as a whole or not at all,
and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, cycle
from random import Random
from typing import Final

from jobcore import DefaultJobManager, JobStatus, JobStore, store_from_url
from tools.faults.acts import ACTS, Act
from tools.faults.calls import CallReport
from tools.faults.scene import unsound
from tools.faults.stage import CONFIG, Facts, Stage
from tools.faults.way import Way

_ROUND: Final = 100
"""How many calls are cancelled before their jobs are looked at and deleted: where there
is no index of queues, all jobs are looked at for those of one."""


@dataclass(frozen=True, slots=True)
class _Usual:
    """What an act makes of its jobs, and how long it takes, when nothing happens."""

    facts: Facts
    seconds: float


@dataclass(frozen=True, slots=True)
class _Trial:
    """An act that was cancelled, and the facts before."""

    name: str
    stage: Stage
    before: Facts


class Cancelling:
    """Cancels calls to the store *far*, and looks at the jobs by *store*."""

    def __init__(self, far: JobStore, store: JobStore, random: Random) -> None:
        self._far = far
        self._store = store
        self._random = random
        self._near = DefaultJobManager(store, CONFIG)
        self._names = map("cancelled-{}".format, count())
        self._report = CallReport()

    async def run(self, times: int) -> CallReport:
        """Cancel *times* calls, of each act in turn."""
        async with self._near:
            usual = {name: await self._usual(act) for name, act in ACTS.items()}
            turns = cycle(ACTS)
            while (left := times - self._report.calls) > 0:
                await self._cancel_some(turns, usual, min(left, _ROUND))
        return self._report

    async def _cancel_some(
        self, turns: Iterator[str], usual: Mapping[str, _Usual], number: int
    ) -> None:
        trials: list[_Trial] = []
        async with DefaultJobManager(self._far, CONFIG) as jobs:
            while len(trials) < number:
                name = next(turns)
                trial = await self._cancel(jobs, name, usual[name].seconds)
                if trial is not None:
                    trials.append(trial)
        # By now all that they began has come to its end.
        self._report.calls += len(trials)
        for each in trials:
            self._judge(each, usual[each.name].facts, await each.stage.facts())
            await each.stage.clear()

    async def _usual(self, act: Act) -> _Usual:
        loop, stage, seconds = asyncio.get_running_loop(), self._stage(), 0.0
        async with DefaultJobManager(self._far, CONFIG) as jobs:
            for _ in range(2):  # of which the first prepares its statements
                stage = self._stage()
                made = await act.ready(stage)
                began_at = loop.time()
                await act.do(jobs, made)
                seconds = loop.time() - began_at
        return _Usual(await stage.facts(), seconds)

    async def _cancel(
        self, jobs: DefaultJobManager, name: str, longest: float
    ) -> _Trial | None:
        """Call and cancel; None where the call was quicker."""
        stage, act = self._stage(), ACTS[name]
        made = await act.ready(stage)
        trial = _Trial(name, stage, await stage.facts())
        call = asyncio.ensure_future(act.do(jobs, made))
        loop = asyncio.get_running_loop()
        until = loop.time() + self._random.uniform(0, longest)
        while loop.time() < until:  # noqa: ASYNC110 - no timer is as exact
            await asyncio.sleep(0)
        call.cancel()
        (answer,) = await asyncio.gather(call, return_exceptions=True)
        if isinstance(answer, Exception):
            self._report.refused.append(f"{name}: {answer!r}")
        return trial if call.cancelled() else None

    def _judge(self, trial: _Trial, usual: Facts, after: Facts) -> None:
        report = self._report
        if after == usual:
            report.done += 1
        elif after == trial.before or _is_given_back(usual, after):
            report.undone += 1
        else:
            report.otherwise.append(f"{trial.name}: {after} instead of {usual}")

    def _stage(self) -> Stage:
        return Stage(self._store, self._near, next(self._names))


def _is_given_back(usual: Facts, after: Facts) -> bool:
    """Whether nobody has what an act has claimed, whose caller was gone."""
    running = JobStatus.IN_PROGRESS
    return usual.counts[running] > after.counts[running] == 0


async def cancel_calls(random: Random, way: Way, times: int) -> CallReport:
    """To a store that is on its *way*."""
    async with store_from_url(way.url) as store, store_from_url(way.url) as far:
        report = await Cancelling(far, store, random).run(times)
        report.left += [*await way.left_by(far), *await unsound(store)]
        return report
