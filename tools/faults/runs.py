"""All experiments: on which stores each is made, and what it enters into the page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Final, Protocol

from tests.postgres_server import PostgresServer
from tools.faults.acts import ACTS
from tools.faults.bulk import PROCESSES, write_in_bulk
from tools.faults.calls import CallReport
from tools.faults.cancellations import cancel_calls
from tools.faults.course import Tell
from tools.faults.cuts import cutting
from tools.faults.experiment import Experiment
from tools.faults.faults import FAULTS, OnWorkers
from tools.faults.outages import OUTAGES, OnServer, Way
from tools.faults.proxy import Proxy
from tools.faults.table import (
    CALLS,
    CUTS,
    WORKER_FAULTS,
    Row,
    Table,
    call_row,
    cut_row,
    described,
    outage_row,
    worker_row,
)
from tools.faults.table import OUTAGES as OUTAGE_TABLE

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
STORES: Final = (SQLITE, POSTGRESQL)


@dataclass(frozen=True, slots=True)
class Place:
    """An empty store of a kind, and a folder for what else there is to keep."""

    store: str
    folder: Path
    url: str


@dataclass(frozen=True, slots=True)
class ServerPlace(Place):
    """One on a server of our own."""

    way: Way


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

    stores: tuple[str, ...] = STORES

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


class OnPostgreSQL(ABC):
    """A run that needs a server of our own."""

    stores: tuple[str, ...] = (POSTGRESQL,)
    times: int

    async def run(self, place: Place, times: int, tell: Tell) -> list[Entry]:
        if not isinstance(place, ServerPlace):
            raise TypeError(place.store)
        return await self._run(place, times, tell)

    @abstractmethod
    async def _run(self, place: ServerPlace, times: int, tell: Tell) -> list[Entry]: ...


class ServerOutage(OnPostgreSQL):
    """An outage of a server, or of the way to it."""

    def __init__(self, name: str) -> None:
        self._outage = OUTAGES[name]
        self.times: int = self._outage.times

    async def _run(self, place: ServerPlace, times: int, tell: Tell) -> list[Entry]:
        way = place.way
        url = way.url_through if self._outage.is_on_the_way else place.url
        course = OnServer(self._outage, way, Random())
        experiment = Experiment(course, url, place.folder, Random())
        report = await experiment.run(times, tell)
        tell(described(report))
        row = outage_row(self._outage.title, place.store, report)
        return [Entry(OUTAGE_TABLE, row, report.verdict.wrong)]


class Cuts(OnPostgreSQL):
    """Connections that are cut."""

    times = 1

    async def _run(self, place: ServerPlace, times: int, tell: Tell) -> list[Entry]:
        entries: list[Entry] = []
        async with cutting(place.url, place.way.server.port) as cut:
            for name, act in ACTS.items():
                report = await cut.cut(name, act, times)
                tell(f"{report.cuts} cuts of {name}, {report.done} when it was done")
                entries.append(Entry(CUTS, cut_row(name, report), report.wrong))
        return entries


class Cancellations(OnPostgreSQL):
    """Calls that are cancelled."""

    times = 1000
    title = "cancelled at a random moment"

    async def _run(self, place: ServerPlace, times: int, tell: Tell) -> list[Entry]:
        report = await cancel_calls(place.url, times, Random())
        return [_entry(self.title, place, report, tell)]


class Bulk(OnPostgreSQL):
    """Bulk writes in opposite orders."""

    times = 20
    title = f"bulk writes to the same jobs by {PROCESSES} processes, in opposite orders"

    async def _run(self, place: ServerPlace, times: int, tell: Tell) -> list[Entry]:
        report = await write_in_bulk(place.way.server, place.url, times)
        return [_entry(self.title, place, report, tell)]


RUNS: Final[dict[str, Run]] = {
    **{name: WorkerFault(name) for name in FAULTS},
    **{name: ServerOutage(name) for name in OUTAGES},
    "cuts": Cuts(),
    "cancellations": Cancellations(),
    "bulk": Bulk(),
}


@asynccontextmanager
async def place(store: str, folder: Path) -> AsyncIterator[Place]:
    """An empty store, of which nothing is left but what is in *folder*."""
    if store == SQLITE:
        yield Place(store, folder, f"sqlite+aiosqlite:///{folder}/jobs.db")
        return
    server = PostgresServer(Path(mkdtemp(prefix="jobcore-faults-")), fsync="on")
    server.start()
    try:
        async with Proxy(server.port) as proxy:
            way = Way(server, proxy)
            yield ServerPlace(store, folder, way.url, way)
    finally:
        (folder / "server.log").write_text(server.log())
        server.remove()


def _entry(title: str, place: Place, report: CallReport, tell: Tell) -> Entry:
    tell(f"{report.calls} calls, {report.done} done, {report.deadlocks} deadlocks")
    return Entry(CALLS, call_row(title, place.store, report), report.wrong)
