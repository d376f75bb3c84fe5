"""Acts while the memory of a Redis server is full: what needs more is refused, and all
else is done."""

from __future__ import annotations

from itertools import count
from typing import Final

from jobcore import (
    DefaultJobManager,
    JobManager,
    JobStore,
    StoreError,
    store_from_url,
)
from tools.faults.acts import ACTS, Act
from tools.faults.calls import CallReport
from tools.faults.redis import FULL, RedisWay
from tools.faults.scene import unsound
from tools.faults.stage import CONFIG, Facts, Stage

REFUSED: Final = {each for each in ACTS if each.startswith("submit")} | {"pause"}
"""Those that add something that is not there yet."""


class _WhenFull:
    """Does acts by *jobs*, which keeps them in *store*."""

    def __init__(self, way: RedisWay, store: JobStore, jobs: JobManager) -> None:
        self.report: CallReport = CallReport()
        self._way = way
        self._store = store
        self._jobs = jobs
        self._names = map("full-{}".format, count())

    async def run(self, name: str, act: Act, times: int) -> None:
        stage = self._stage()
        await act.do(self._jobs, await act.ready(stage))
        usual = await stage.facts()
        for _ in range(times):
            await self._try(name, act, usual)

    async def _try(self, name: str, act: Act, usual: Facts) -> None:
        stage, report = self._stage(), self.report
        made = await act.ready(stage)
        before, problem = await stage.facts(), ""
        async with self._way.full():
            try:
                await act.do(self._jobs, made)
            except StoreError as error:
                problem = str(error)
        after = await stage.facts()
        await stage.clear()
        report.calls += 1
        if (FULL in problem) != (name in REFUSED):
            report.refused.append(f"{name}: {problem or 'not refused'}")
        elif after != (before if name in REFUSED else usual):
            report.otherwise.append(f"{name}: {after} after {before}")
        elif name in REFUSED:
            report.undone += 1
        else:
            report.done += 1

    def _stage(self) -> Stage:
        return Stage(self._store, self._jobs, next(self._names))


async def call_when_full(way: RedisWay, times: int) -> CallReport:
    """Do each act, so many times."""
    async with (
        store_from_url(way.url) as store,
        DefaultJobManager(store, CONFIG) as jobs,
    ):
        acts = _WhenFull(way, store, jobs)
        for name, act in ACTS.items():
            await acts.run(name, act, times)
        acts.report.left += await unsound(store)
    return acts.report
