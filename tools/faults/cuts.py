"""Connections cut at each request of each act, just before the server has it and just
after the server is done with it: the manager repeats, and there is one effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from jobcore import DefaultJobManager, JobcoreError, JobStore, store_from_url
from tools.faults.acts import Act
from tools.faults.proxy import Cut, Moment, Proxy
from tools.faults.stage import CONFIG, Facts, Stage

_SETTLED: Final = 0.02
"""Seconds in which a store has told of its news, which is a request, too."""


@dataclass
class CutReport:
    """What became of an act that was cut off again and again."""

    cuts: int = 0
    done: int = 0
    """How often all of it was done already when the connection was cut."""
    lost: list[str] = field(default_factory=list)
    """Where it was never done at all."""
    otherwise: list[str] = field(default_factory=list)
    """Where the jobs are not as without the cut: done in part, or twice."""
    refused: list[str] = field(default_factory=list)
    """Where the caller got an error, or another answer."""

    @property
    def wrong(self) -> tuple[str, ...]:
        return (*self.lost, *self.otherwise, *self.refused)


class Cutting:
    """Does acts through a *proxy* by the manager *far*, and looks at them by *near* and
    its *store*, which are this side of it."""

    def __init__(
        self,
        proxy: Proxy,
        store: JobStore,
        near: DefaultJobManager,
        far: DefaultJobManager,
    ) -> None:
        self._proxy = proxy
        self._store = store
        self._near = near
        self._far = far
        self._names = map("queue-{}".format, count())

    async def cut(self, name: str, act: Act, times: int = 1) -> CutReport:
        """Cut *act* off at each request that it makes, at each moment."""
        stage = self._stage()
        answer = await act.do(self._far, await act.ready(stage))
        wanted = await stage.facts()
        report = CutReport()
        for moment in [*Moment] * times:
            for skipped in count():
                trial = await self._try(act, skipped, moment)
                if trial is None:
                    break
                where = f"{name}, cut {moment} its request {skipped + 1}"
                trial.judge(where, wanted, answer, report)
        return report

    async def _try(self, act: Act, skipped: int, moment: Moment) -> _Trial | None:
        """Do *act* once; None where it made fewer requests and was left alone."""
        stage = self._stage()
        made = await act.ready(stage)
        before = await stage.facts()
        seen: list[Facts] = []

        async def look() -> None:
            seen.append(await stage.facts())

        await asyncio.sleep(_SETTLED)
        cut = self._proxy.cut = Cut(skipped, moment, look)
        try:
            answer = await act.do(self._far, made)
        except JobcoreError as error:
            answer = error  # which is not what is to be answered
        self._proxy.cut = None
        if not cut.is_made:
            return None
        await cut.is_over.wait()
        after = await stage.facts()
        await stage.clear()
        return _Trial(before, seen[0], after, answer)

    def _stage(self) -> Stage:
        return Stage(self._store, self._near, next(self._names))


@dataclass(frozen=True, slots=True)
class _Trial:
    """The facts before the act, at the cut and in the end, and what was answered."""

    before: Facts
    at_cut: Facts
    after: Facts
    answer: object

    def judge(
        self, where: str, wanted: Facts, answer: object, report: CutReport
    ) -> None:
        report.cuts += 1
        report.done += self.at_cut == wanted
        if self.answer != answer:
            report.refused.append(f"{where}: {self.answer!r} is answered")
        if self.after == wanted:
            return
        if self.after == self.before:
            report.lost.append(f"{where}: nothing is done")
        else:
            report.otherwise.append(f"{where}: {self.after} instead of {wanted}")


@asynccontextmanager
async def cutting(url: str, proxy: Proxy) -> AsyncIterator[Cutting]:
    """On the store at *url*, whose server *proxy* stands before."""
    async with (
        store_from_url(url) as store,
        DefaultJobManager(store, CONFIG) as near,
        store_from_url(proxy.way_to(url)) as behind,
        DefaultJobManager(behind, CONFIG) as far,
    ):
        yield Cutting(proxy, store, near, far)
