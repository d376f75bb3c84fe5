"""A simulated world: processes with managers and workers around one store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, Final, TypeVar

from jobcore.abilities import (
    QueueControl,
    ScheduleStore,
    Verifiable,
    WorkerDirectory,
)
from jobcore.config import JobcoreConfig
from jobcore.default_manager import DefaultJobManager
from jobcore.job import TERMINAL, Job
from jobcore.store import JobStore
from jobcore.tasks import Tasks
from jobcore.testing.simulation.faults import NO_FAULTS, Fault, Faults
from jobcore.testing.simulation.history import History
from jobcore.testing.simulation.loop import SimulatedLoop
from jobcore.testing.simulation.process import Process
from jobcore.testing.simulation.server import Server, done
from jobcore.testing.simulation.service import Client, Service, WorkerService

T = TypeVar("T")

DEADLINE: Final = 40
"""How many leases after the last fault everything must have ended."""
TICKING: Final = 5.0
"""For how many seconds after the last fault schedules go on, and a little longer."""


class World:
    """What a scenario plays in: it starts workers and clients, and faults befall them
    until it returns. Time passes by `asyncio.sleep`, and costs nothing.

    All chance comes from `random`.
    """

    def __init__(
        self,
        seed: int,
        loop: SimulatedLoop,
        config: JobcoreConfig,
        store: JobStore,
    ) -> None:
        self.random: Random = Random(seed)  # noqa: S311 - it is to be replayed
        self.config = config
        self.history: History = History(seed, config)
        self.loop = loop
        random = Random(seed + 1)  # noqa: S311 - likewise
        self.server: Server = Server(store, loop, random, self.history, self._strike)
        self._services: list[Service] = []
        self._of: dict[Process, Service] = {}
        self._over = False

    @property
    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self.loop.elapsed

    @property
    def jobs(self) -> dict[str, Job]:
        """All jobs as the store has them now, by id; asking costs no call."""
        return self.history.jobs

    def worker(self, tasks: Tasks, **options: Any) -> WorkerService:
        """Start a process with a manager and a `Worker`, which takes the *options*.
        When a fault ends it, another one takes its place."""
        return self._start(WorkerService(self, tasks, options))

    def client(self) -> Client:
        """Start a process with a manager, for whoever submits and operates."""
        return self._start(Client(self))

    def begin_faults(self, faults: Faults) -> None:
        self.server.faults = faults

    def end_faults(self) -> None:
        self.server.faults = NO_FAULTS

    def started(self, process: Process, service: Service) -> None:
        self.loop.add(process)
        self._of[process] = service

    def ended(self, process: Process) -> None:
        self._of.pop(process, None)
        self.loop.kill(process)

    @property
    def is_over(self) -> bool:
        """Whether nobody is to be started any more."""
        return self._over

    async def live(self, scenario: Callable[[World], Awaitable[None]]) -> None:
        """Play *scenario*, calm down, let everything finish, and stop everybody."""
        self.server.open()
        await scenario(self)
        await self._calm_down()
        await self._end_schedules()
        await self._finish()
        self._over = True
        await self._stop()
        self._look()

    async def _calm_down(self) -> None:
        self.end_faults()
        latest = self.time + 20 * self.config.job_claim_timeout.total_seconds()
        while self.time <= self.loop.quiet_at < latest:  # noqa: ASYNC110 - it moves on
            await asyncio.sleep(self.loop.quiet_at - self.time + 0.1)
        self.loop.calm = True
        for service in self._services:
            await service.is_up()
        self.history.calm_at = self.time
        control = self.server.store.ability(QueueControl)
        if control is None:
            return
        operator = self.client()
        paused = done(control.paused())
        for queue in sorted(paused.queues):
            await operator.call(_resuming(queue=queue))
        for task in sorted(paused.tasks):
            await operator.call(_resuming(task=task))

    async def _end_schedules(self) -> None:
        """Let schedules go on for long enough to judge that, and pause them all."""
        schedules = self.server.store.ability(ScheduleStore)
        if schedules is None or not done(schedules.schedules()):
            return
        interval = self.config.schedule_check_interval.total_seconds()
        await asyncio.sleep(TICKING + 3 * interval)
        operator = self.client()
        for each in done(schedules.schedules()):
            await operator.call(_pausing(each.name))

    async def _finish(self) -> None:
        lease = self.config.job_claim_timeout.total_seconds()
        deadline = self.time + DEADLINE * lease
        while any(job.status not in TERMINAL for job in self.jobs.values()):
            if self.time > deadline:
                self.history.deadline_missed = True
                break
            await asyncio.sleep(lease / 6)

    async def _stop(self) -> None:
        self.history.stopping_at = self.time
        for service in self._services:
            service.stop()
        grace = self.config.shutdown_grace_period.total_seconds()
        for _ in range(100):
            if not self._of:
                break
            await asyncio.sleep((grace + 20) / 100)
        for process in self._of:
            tasks = (task.get_name() for task in process.unfinished())
            self.history.leftovers.append(f"{process}: {', '.join(tasks)}")

    def _look(self) -> None:
        history, store = self.history, self.server.store
        history.ended_at = self.time
        history.ended_clock = self.server.clock()
        verifiable = store.ability(Verifiable)
        if verifiable is not None:
            findings = done(verifiable.verify()).findings
            history.unsound += [f"{rule}: {each}" for rule, each in findings.items()]
        directory = store.ability(WorkerDirectory)
        if directory is not None:
            history.living = [each.id for each in done(directory.workers())]
        history.unhandled += [
            f"{each.get('message')}: {each.get('exception')!r}"
            for each in self.loop.faults
        ]

    def _start(self, service: S) -> S:
        self._services.append(service)
        service.number = len(self._services)
        service.start()
        return service

    def _strike(
        self, fault: Fault, process: Process, caller: asyncio.Task[Any] | None
    ) -> None:
        service = self._of.get(process)
        if service is None:
            return
        length = self.server.long()
        match fault:
            case Fault.FREEZE:
                self.loop.pause(process, length, clock_stops=True)
            case Fault.BLOCK:
                self.loop.pause(process, length)
            case Fault.CRASH:
                service.crash(length)
            case Fault.RESTART:
                service.crash(self.loop.lasting(0.01), process.name)
            case _ if caller is not None:
                caller.cancel()
            case _:
                service.stop()


S = TypeVar("S", bound=Service)


def _pausing(schedule: str) -> Callable[[DefaultJobManager], Awaitable[None]]:
    return lambda jobs: jobs.pause(schedule=schedule)


def _resuming(**named: str) -> Callable[[DefaultJobManager], Awaitable[None]]:
    return lambda jobs: jobs.resume(**named)
