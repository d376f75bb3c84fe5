"""All experiments: on which stores each is made, and what it enters into the page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final, Generic, Protocol, TypeVar

from tools.faults.acts import ACTS
from tools.faults.bulk import PROCESSES, write_in_bulk
from tools.faults.calls import CallReport
from tools.faults.cancellations import cancel_calls
from tools.faults.cluster import LAG, ClusterWay, Failovers
from tools.faults.course import Tell
from tools.faults.cuts import cutting
from tools.faults.experiment import Experiment
from tools.faults.faults import FAULTS, OnWorkers
from tools.faults.full import call_when_full
from tools.faults.givingup import give_up_calls
from tools.faults.outages import Away, Kill, OnServer, Outage, Silence, Terminate, W
from tools.faults.places import CLUSTER, POSTGRESQL, REDIS, SQLITE, Place, ServerPlace
from tools.faults.postgres import Exhaust, PostgresWay
from tools.faults.redis import Fill, RedisWay
from tools.faults.spread import spread
from tools.faults.table import (
    CALLS,
    CUTS,
    FAILOVERS,
    OUTAGES,
    SPREAD,
    WORKER_FAULTS,
    Row,
    Table,
    call_row,
    cut_row,
    described,
    failover_row,
    outage_row,
    spread_row,
    worker_row,
)
from tools.faults.way import ServerWay, Way

AnyWay = TypeVar("AnyWay", bound=Way)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row for a table, and what is wrong."""

    table: Table
    row: Row
    wrong: tuple[str, ...]


class Run(Protocol):
    """An experiment that can be made."""

    stores: tuple[str, ...]
    times: int

    async def run(self, place: Place, times: int, tell: Tell) -> list[Entry]:
        """Make it, with its fault happening so many *times*."""
        ...


class WorkerFault:
    """A fault that strikes workers."""

    stores: tuple[str, ...] = (SQLITE, POSTGRESQL, REDIS)

    def __init__(self, name: str) -> None:
        self._fault = FAULTS[name]
        self.times: int = self._fault.times

    async def run(self, place: Place, times: int, tell: Tell) -> list[Entry]:
        course = OnWorkers(self._fault, Random())
        experiment = Experiment(course, place.url, place.folder, Random())
        report = await experiment.run(times, tell)
        tell(described(report))
        row = worker_row(self._fault.title, place.store, report)
        return [Entry(WORKER_FAULTS, row, report.verdict.wrong)]


class OnServers(ABC, Generic[AnyWay]):
    """A run that needs servers of our own, to which there is a way of that *kind*."""

    stores: tuple[str, ...]
    times: int

    def __init__(self, kind: type[AnyWay], *stores: str) -> None:
        self._kind = kind
        self.stores = stores

    async def run(self, place: Place, times: int, tell: Tell) -> list[Entry]:
        if not isinstance(place, ServerPlace) or not isinstance(place.way, self._kind):
            raise TypeError(place)
        return await self._run(place, place.way, times, tell)

    @abstractmethod
    async def _run(
        self, place: Place, way: AnyWay, times: int, tell: Tell
    ) -> list[Entry]: ...


class ServerOutage(OnServers[W]):
    """An outage of a server, or of the way to it."""

    def __init__(self, outage: Outage[W], kind: type[W], *stores: str) -> None:
        super().__init__(kind, *stores)
        self._outage = outage
        self.times = outage.times

    async def _run(self, place: Place, way: W, times: int, tell: Tell) -> list[Entry]:
        url = way.url_through if self._outage.is_on_the_way else way.url
        course = OnServer(self._outage, way, Random())
        experiment = Experiment(course, url, place.folder, Random())
        report = await experiment.run(times, tell)
        tell(described(report))
        row = outage_row(self._outage.title, place.store, report)
        return [Entry(OUTAGES, row, report.verdict.wrong)]


class Failover(OnServers[ClusterWay]):
    """The death of a master, whose replica has missed the last *lag* seconds."""

    times = 5

    def __init__(self, title: str, lag: float) -> None:
        super().__init__(ClusterWay, CLUSTER)
        self._title = title
        self._lag = lag

    async def _run(
        self, place: Place, way: ClusterWay, times: int, tell: Tell
    ) -> list[Entry]:
        course = Failovers(way.cluster, self._lag, Random())
        experiment = Experiment(course, way.url, place.folder, Random())
        report = await experiment.run(times, tell)
        tell(described(report))
        row = failover_row(self._title, report)
        return [Entry(FAILOVERS, row, report.verdict.wrong)]


class Spread(OnServers[ClusterWay]):
    """One queue on all masters; *times* is the number of its jobs."""

    times = 6000

    async def _run(
        self, place: Place, way: ClusterWay, times: int, tell: Tell
    ) -> list[Entry]:
        report = await spread(way.cluster, place.folder, times)
        tell(f"{report.claims} claims, {report.scripts} scripts")
        return [Entry(SPREAD, spread_row(report), report.wrong)]


class Cuts(OnServers[ServerWay]):
    """Connections that are cut."""

    times = 1

    async def _run(
        self, place: Place, way: ServerWay, times: int, tell: Tell
    ) -> list[Entry]:
        entries: list[Entry] = []
        async with cutting(way.url, way.proxy) as cut:
            for name, act in ACTS.items():
                report = await cut.cut(name, act, times)
                tell(f"{report.cuts} cuts of {name}, {report.done} when it was done")
                row = cut_row(name, place.store, report)
                entries.append(Entry(CUTS, row, report.wrong))
        return entries


class Calls(OnServers[AnyWay]):
    """Many calls to which something happens."""

    def __init__(
        self,
        title: str,
        times: int,
        make: Callable[[AnyWay, int], Awaitable[CallReport]],
        kind: type[AnyWay],
        *stores: str,
    ) -> None:
        super().__init__(kind, *stores)
        self.times = times
        self._title = title
        self._make = make

    async def _run(
        self, place: Place, way: AnyWay, times: int, tell: Tell
    ) -> list[Entry]:
        report = await self._make(way, times)
        tell(f"{report.calls} calls, {report.done} done, {report.deadlocks} deadlocks")
        row = call_row(self._title, place.store, report)
        return [Entry(CALLS, row, report.wrong)]


RUNS: Final[dict[str, Run]] = {
    **{name: WorkerFault(name) for name in FAULTS},
    "server-killed": ServerOutage(Kill(), ServerWay, POSTGRESQL, REDIS),
    "server-away": ServerOutage(Away(), ServerWay, REDIS),
    "terminated": ServerOutage(
        Terminate("`pg_terminate_backend` of every connection"),
        *(ServerWay, POSTGRESQL),
    ),
    "clients-killed": ServerOutage(
        Terminate("`CLIENT KILL` of every connection"), ServerWay, REDIS
    ),
    "half-open": ServerOutage(Silence(), ServerWay, POSTGRESQL, REDIS),
    "exhausted": ServerOutage(Exhaust(), PostgresWay, POSTGRESQL),
    "memory-full": ServerOutage(Fill(), RedisWay, REDIS),
    "master-killed": Failover("`kill -9` of a master", 0),
    "master-killed-ahead": Failover(
        f"`kill -9` of a master whose replica has missed the last {LAG:g} s", LAG
    ),
    "spread": Spread(ClusterWay, CLUSTER),
    "cuts": Cuts(ServerWay, POSTGRESQL, REDIS),
    "cancellations": Calls(
        "cancelled at a random moment",
        1000,
        partial(cancel_calls, Random()),
        Way,
        *(POSTGRESQL, REDIS, CLUSTER),
    ),
    "given-up": Calls(
        "given up at a random moment, and repeated",
        1000,
        partial(give_up_calls, Random()),
        Way,
        *(REDIS, CLUSTER),
    ),
    "full": Calls("made when memory is full", 40, call_when_full, RedisWay, REDIS),
    "bulk": Calls(
        f"bulk writes to the same jobs by {PROCESSES} processes, in opposite orders",
        20,
        write_in_bulk,
        PostgresWay,
        POSTGRESQL,
    ),
}
