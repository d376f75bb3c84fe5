"""What runs in the processes of a simulation: managers, with a worker or a client."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from jobcore.context import current_job
from jobcore.default_manager import DefaultJobManager
from jobcore.tasks import AnyTask, Tasks, is_async
from jobcore.testing.simulation.history import Life, Running
from jobcore.testing.simulation.loop import NotSimulatedError
from jobcore.testing.simulation.process import CALLER, Process
from jobcore.testing.simulation.store import SimulatedStore
from jobcore.worker import Worker

if TYPE_CHECKING:
    from jobcore.testing.simulation.world import World

T = TypeVar("T")


class InterruptedCallError(Exception):
    """The process crashed during the call, or the call was cancelled: whether it took
    effect is unknown."""


class Service(ABC):
    """A program that is started again when its process is gone."""

    kind = "service"
    number = 0

    def __init__(self, world: World) -> None:
        self.world = world
        self.process: Process = Process("unborn")
        self._births = 0
        self._up = asyncio.Event()
        self._stopping = asyncio.Event()

    def start(self, name: str | None = None) -> None:
        """Start a process, under the *name* of an earlier one if that is given."""
        if self.world.is_over:
            return
        self._births += 1
        self.process = Process(name or f"{self.kind}-{self.number}-{self._births}")
        self._stopping = asyncio.Event()
        self.world.started(self.process, self)
        main = self.world.loop.create_task(
            self._main(self.process), context=self.process.context(), name="main"
        )
        main.add_done_callback(self._ended)

    def stop(self) -> None:
        """Let the process end in good order."""
        self._stopping.set()

    def crash(self, pause: float, name: str | None = None) -> None:
        """Let the process be gone, and start another one after a *pause*."""
        self.world.ended(self.process)
        self._up.clear()
        self.gone()
        self.world.loop.after(pause, self.start, name)

    async def is_up(self) -> None:
        """Wait until its manager is open."""
        await self._up.wait()

    @abstractmethod
    def gone(self) -> None:
        """The process has crashed."""

    @abstractmethod
    async def work(self, process: Process, jobs: DefaultJobManager) -> None:
        """What the process does until it is told to stop."""

    async def _main(self, process: Process) -> None:
        world = self.world
        store = SimulatedStore(world.server, process)
        random = Random(world.random.getrandbits(32))  # noqa: S311 - it is to be replayed
        async with DefaultJobManager(store, world.config, random=random) as jobs:
            await self.work(process, jobs)

    def _ended(self, main: asyncio.Task[None]) -> None:
        if not self.process.alive:
            return
        self._up.clear()
        if not main.cancelled() and (error := main.exception()) is not None:
            self.world.history.unhandled.append(f"{self.process}: {error!r}")
        self.world.loop.after(self.world.loop.lasting(0.5), self._leave, self.process)

    def _leave(self, process: Process) -> None:
        """Look whether anything runs on though the program has ended."""
        if not process.alive:
            return
        if not process.awake:
            self.world.loop.after(self.world.loop.lasting(0.1), self._leave, process)
            return
        unfinished = [task.get_name() for task in process.unfinished()]
        if unfinished:
            told = f"{process}: {', '.join(unfinished)}"
            self.world.history.leftovers.append(told)
        self.world.ended(process)
        self.start()


class WorkerService(Service):
    """A process with a worker and its upkeep."""

    kind = "worker"

    def __init__(self, world: World, tasks: Tasks, options: dict[str, Any]) -> None:
        super().__init__(world)
        self._tasks = _Watched(world, tasks)
        self._options = options
        self._life: Life | None = None

    async def work(self, process: Process, jobs: DefaultJobManager) -> None:
        world = self.world
        random = Random(world.random.getrandbits(32))  # noqa: S311 - it is to be replayed
        worker = Worker(jobs, self._tasks, random=random, **self._options)
        worker.id = process.name
        life = Life(process.name, worker.concurrency, world.time)
        self._life = life
        process.number = len(world.history.lives)
        world.history.lives.append(life)
        try:
            async with worker:
                self._up.set()
                await self._stopping.wait()
        except Exception as error:
            life.error = error
            raise
        finally:
            if process.alive:
                life.ended_at = world.time

    def gone(self) -> None:
        if self._life is not None and self._life.ended_at is None:
            self._life.ended_at, self._life.crashed = self.world.time, True

    def stop(self) -> None:
        super().stop()
        if self._life is not None:
            self._life.stopping_at = self.world.time


class Client(Service):
    """A process that calls its manager as a host's service would."""

    kind = "client"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._jobs: DefaultJobManager | None = None
        self._calls: dict[asyncio.Future[Any], None] = {}

    async def call(self, act: Callable[[DefaultJobManager], Awaitable[T]]) -> T:
        """What *act* returns or raises in this process; InterruptedCallError where a
        fault ended the process or the call."""
        await self._up.wait()
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._calls[result] = None
        self.world.loop.create_task(
            self._act(act, result), context=self.process.context(), name="call"
        )
        try:
            return await result
        finally:
            self._calls.pop(result, None)

    async def work(self, process: Process, jobs: DefaultJobManager) -> None:  # noqa: ARG002 - it has no name to show
        self._jobs = jobs
        self._up.set()
        await self._stopping.wait()

    def gone(self) -> None:
        for result in list(self._calls):
            _refuse(result, InterruptedCallError("crashed"))

    async def _act(
        self,
        act: Callable[[DefaultJobManager], Awaitable[T]],
        result: asyncio.Future[T],
    ) -> None:
        CALLER.set(asyncio.current_task())
        assert self._jobs is not None
        try:
            value = await act(self._jobs)
        except asyncio.CancelledError:
            _refuse(result, InterruptedCallError("cancelled"))
        except Exception as error:  # noqa: BLE001 - it is the caller's
            _refuse(result, error)
        else:
            with suppress(asyncio.InvalidStateError):
                result.set_result(value)


class _Watched(Tasks):
    """The same tasks, whose runs go down in history."""

    def __init__(self, world: World, tasks: Tasks) -> None:
        super().__init__()
        self.resources = tasks.resources
        for task in tasks:
            if not is_async(task.function):
                raise NotSimulatedError(f"threads, which task {task.name} needs")
            self._add(replace(task, function=partial(_run, world, task)))


async def _run(world: World, task: AnyTask, *args: Any, **kwargs: Any) -> Any:
    job, process = current_job().job, world.loop.running
    running = Running(process.number, job.id, job.attempt, world.time)
    world.history.running.append(running)
    try:
        return await task.function(*args, **kwargs)
    finally:
        if process.alive:
            running.ended_at = world.time


def _refuse(result: asyncio.Future[Any], error: Exception) -> None:
    if not result.done():
        result.set_exception(error)
        result.exception()  # where nobody waits any more, that is no fault
