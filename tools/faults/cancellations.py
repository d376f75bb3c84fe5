"""Calls that are cancelled at random moments: each is done as a whole or not at all,
and leaves nothing behind."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count, cycle
from random import Random
from typing import Final

from jobcore import DefaultJobManager, JobStatus
from jobcore_sql import SQLJobStore
from tools.faults.acts import ACTS, Act
from tools.faults.calls import CallReport, idle_in_transaction
from tools.faults.scene import unsound
from tools.faults.stage import CONFIG, Facts, Stage

_LONGEST: Final = 5.0
"""Seconds for more calls than there are connections."""


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

    def __init__(self, far: SQLJobStore, store: SQLJobStore, random: Random) -> None:
        self._far = far
        self._store = store
        self._random = random
        self._near = DefaultJobManager(store, CONFIG)
        self._names = map("cancelled-{}".format, count())
        self._report = CallReport()

    async def run(self, times: int) -> CallReport:
        """Cancel *times* calls, of each act in turn."""
        trials: list[_Trial] = []
        async with self._near:
            usual = {name: await self._usual(act) for name, act in ACTS.items()}
            async with DefaultJobManager(self._far, CONFIG) as jobs:
                turns = cycle(ACTS)
                while len(trials) < times:
                    name = next(turns)
                    trial = await self._cancel(jobs, name, usual[name].seconds)
                    if trial is not None:
                        trials.append(trial)
            self._report.calls = len(trials)
            # By now all that they began has come to its end.
            for each in trials:
                self._judge(each, usual[each.name].facts, await each.stage.facts())
        await self._look_at_the_store()
        return self._report

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
        await asyncio.sleep(self._random.uniform(0, longest))
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

    async def _look_at_the_store(self) -> None:
        left = self._report.left
        try:
            async with asyncio.timeout(_LONGEST):
                size = 4 * self._far.options.pool_size
                await asyncio.gather(*(self._far.statistics() for _ in range(size)))
        except TimeoutError:
            left.append("connections of the pool do not come back")
        left += await unsound(self._store)

    def _stage(self) -> Stage:
        return Stage(self._store, self._near, next(self._names))


def _is_given_back(usual: Facts, after: Facts) -> bool:
    """Whether nobody has what an act has claimed, whose caller was gone."""
    running = JobStatus.IN_PROGRESS
    return usual.counts[running] > after.counts[running] == 0


async def cancel_calls(url: str, times: int, random: Random) -> CallReport:
    """To the database at *url*."""
    async with SQLJobStore(url) as store, SQLJobStore(url) as far:
        report = await Cancelling(far, store, random).run(times)
        report.left += await idle_in_transaction(url)
        return report
