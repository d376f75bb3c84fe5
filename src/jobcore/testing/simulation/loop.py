"""An event loop whose time is virtual and whose order is decided by a seed."""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from itertools import count
from random import Random
from typing import Any, ClassVar, Final, NoReturn, TypeVar, TypeVarTuple

from jobcore.testing.simulation.process import PROCESS, Process

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_TICK: Final = 0.002
"""Seconds within which timers may fire in one go, in the order in which they are due,
so that what they start runs side by side."""


_MOST_STEPS: Final = 400_000
"""Callbacks after which a simulation has no end: a usual one has some thousands."""


class SimulationStuckError(RuntimeError):
    """The simulation will not come to its end."""

    problem: ClassVar[str]

    def __init__(self, time: float) -> None:
        super().__init__(time)
        self.time = time

    def __str__(self) -> str:
        return f"after {self.time:.3f} s {self.problem}"


class SimulationDeadlockError(SimulationStuckError):
    """Nothing is ready and no timer is set: whatever is awaited will never happen."""

    problem: ClassVar[str] = "everybody waits and no timer is set"


class SimulationEndlessError(SimulationStuckError):
    """It takes so many steps that somebody must be running in circles."""

    problem: ClassVar[str] = f"{_MOST_STEPS:,} steps brought no end in sight"


class NotSimulatedError(RuntimeError):
    """What depends on the machine cannot be replayed, and is refused."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"the simulation has no {self.what}: a seed could not be replayed"


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs processes in turns that a seed decides. While nobody has anything to do,
    time jumps to the next timer. It waits for nothing outside of itself.

    Within a process, callbacks run in the order in which they became ready. Timers of
    one instant fire in an order that the seed decides.
    """

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.outside: Process = Process("outside")
        """What belongs to no process: the store, and whoever watches."""
        self.steps: int = 0
        self.calm: bool = False
        """Whether nothing is paused any more."""
        self.quiet_at: float = 0.0
        """Until when the effects of faults last that have begun."""
        self.faults: list[dict[str, Any]] = []
        """What would have been logged as an error that nobody handled."""
        self._random = random
        self._thread = threading.get_ident()
        self._stopping: bool
        self._elapsed = 0.0
        self._processes: list[Process] = [self.outside]
        self._dead: list[Process] = []
        self._runnable: list[Process] = []
        """The processes that are awake and have something ready."""
        self._running = self.outside
        self._timers: list[tuple[float, float, int, _Timer]] = []
        self._numbers = count()
        self._outside = Context()
        self._outside.run(PROCESS.set, self.outside)

    @property
    def elapsed(self) -> float:
        """The virtual time, whatever a frozen process takes it for."""
        return self._elapsed

    @property
    def running(self) -> Process:
        """The process whose callback runs now."""
        return self._running

    def add(self, process: Process) -> None:
        self._processes.append(process)

    def kill(self, process: Process) -> None:
        """End a process between two of its steps."""
        if process.alive:
            process.die()
            self._processes.remove(process)
            self._dead.append(process)
            self._rest(process)

    def pause(
        self, process: Process, seconds: float, *, clock_stops: bool = False
    ) -> None:
        """Let nothing of *process* run for a while, with or without its clock."""
        if self.calm or not process.awake:
            return
        self.lasting(seconds)
        process.awake = False
        self._rest(process)
        self.after(seconds, self._go_on, process, seconds if clock_stops else 0.0)

    def lasting(self, seconds: float) -> float:
        """Note that a fault lasts so long, so that there is no calm before its end."""
        if not self.calm:
            self.quiet_at = max(self.quiet_at, self._elapsed + seconds)
        return seconds

    def after(
        self, seconds: float, callback: Callable[..., object], *args: Any
    ) -> asyncio.TimerHandle:
        """Call back outside of all processes, by the virtual time."""
        when = self._elapsed + seconds
        return self._set_timer(when, callback, args, self._outside, self.outside)

    def soon(self, callback: Callable[..., object], *args: Any) -> None:
        """Call back outside of all processes."""
        self.call_soon(callback, *args, context=self._outside)

    def time(self) -> float:
        return self._elapsed - self._running.lag

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        if context is None:
            context = copy_context()
        process = context.get(PROCESS, self.outside)
        step = asyncio.Handle(callback, args, self, context)
        if process.alive:
            self._make_ready(process, step)
        return step

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        context = copy_context() if context is None else context
        process = context.get(PROCESS, self.outside)
        when += self._running.lag
        return self._set_timer(when, callback, args, context, process)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def create_task(
        self, coro: Generator[Any, None, T] | Coroutine[Any, Any, T], **options: Any
    ) -> asyncio.Task[T]:
        context: Context | None = options.get("context")
        owner = PROCESS.get(None) if context is None else context.get(PROCESS)
        task = _Task(coro, self, next(self._numbers), options)
        (owner or self.outside).keep(task)
        return task

    def create_future(self) -> asyncio.Future[Any]:
        return _Future(self, next(self._numbers))

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        if threading.get_ident() != self._thread:
            raise NotSimulatedError("threads")
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, *_: object) -> NoReturn:
        raise NotSimulatedError("threads")

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(context)

    def bury(self) -> None:
        """Dispose of all that runs in processes, to be called from outside."""
        for process in self._processes[1:]:
            self.kill(process)
        for process in self._dead:
            process.bury()
        self._timers.clear()

    def _set_timer(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context,
        process: Process,
    ) -> asyncio.TimerHandle:
        timer = _Timer(when, callback, args, self, context)
        timer.process, timer.lag = process, process.lag
        entry = when, self._random.random(), next(self._numbers), timer
        heapq.heappush(self._timers, entry)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing to count: a cancelled timer is dropped when it is due."""

    def _run_once(self) -> None:
        runnable, random = self._runnable, self._random.random
        while runnable:
            chosen = int(random() * len(runnable)) if len(runnable) > 1 else 0
            process = runnable[chosen]
            step = process.ready.popleft()
            if not process.ready:
                del runnable[chosen]
            if not step.cancelled():
                self.steps += 1
                if self.steps > _MOST_STEPS:
                    raise SimulationEndlessError(self._elapsed)
                self._running = process
                step._run()  # noqa: SLF001 - running handles is what a loop does
                self._running = self.outside
                if self._stopping:
                    return
        self._advance()

    def _make_ready(self, process: Process, step: asyncio.Handle) -> None:
        if process.awake and not process.ready:
            self._runnable.append(process)
        process.ready.append(step)

    def _rest(self, process: Process) -> None:
        if process in self._runnable:
            self._runnable.remove(process)

    def _advance(self) -> None:
        timers = self._timers
        if not timers:
            raise SimulationDeadlockError(self._elapsed)
        self._elapsed = max(self._elapsed, timers[0][0] + self._random.random() * _TICK)
        while timers and timers[0][0] <= self._elapsed:
            timer = heapq.heappop(timers)[3]
            process = timer.process
            if timer.cancelled() or not process.alive:
                continue
            if process.awake and process.lag > timer.lag:
                self._delay(timer)
            else:
                self._make_ready(process, timer)

    def _go_on(self, process: Process, lag: float) -> None:
        if not process.alive:
            return
        process.awake = True
        if lag:
            process.lag += lag
            timers = [step for step in process.ready if isinstance(step, _Timer)]
            for timer in timers:
                process.ready.remove(timer)
                self._delay(timer)
        if process.ready:
            self._runnable.append(process)

    def _delay(self, timer: _Timer) -> None:
        when = timer.when() + timer.process.lag - timer.lag
        timer._when, timer.lag = when, timer.process.lag  # noqa: SLF001 - its own class
        entry = when, self._random.random(), next(self._numbers), timer
        heapq.heappush(self._timers, entry)


class _Timer(asyncio.TimerHandle):
    __slots__ = ("lag", "process")

    _when: float
    process: Process
    lag: float


class _Task(asyncio.Task[T]):
    """A task whose place in sets does not depend on where it lies in memory."""

    def __init__(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        loop: SimulatedLoop,
        number: int,
        options: dict[str, Any],
    ) -> None:
        self._number = number
        super().__init__(coro, loop=loop, **options)
        self._log_destroy_pending = False

    def __hash__(self) -> int:
        return self._number


class _Future(asyncio.Future[Any]):
    """Likewise."""

    def __init__(self, loop: SimulatedLoop, number: int) -> None:
        self._number = number
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._number
