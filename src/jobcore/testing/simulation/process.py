"""A simulated process: everything that runs in it stops, goes on and dies together."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import Context, ContextVar, copy_context
from typing import Any

PROCESS: ContextVar[Process] = ContextVar("jobcore_simulated_process")
"""The process that a callback belongs to; tasks inherit it from their makers."""

CALLER: ContextVar[asyncio.Task[Any] | None] = ContextVar(
    "jobcore_simulated_caller", default=None
)
"""Who is waiting for what is done now, and may be cancelled."""


class Process:
    """Callbacks that run in the order in which they became ready, as asyncio promises.
    Between processes there is no order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number: int = -1
        """Which of the lives of workers this is."""
        self.ready: deque[asyncio.Handle] = deque()
        self.awake: bool = True
        self.alive: bool = True
        self.lag: float = 0.0
        """How far its clock is behind, as it stood still while the process was
        frozen."""
        self._tasks: list[asyncio.Task[Any]] = []
        self._kept = 64

    def __repr__(self) -> str:
        return self.name

    def context(self) -> Context:
        """A context whose tasks and callbacks belong to this process."""
        context = copy_context()
        context.run(PROCESS.set, self)
        return context

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Hold on to *task*: were it dropped unfinished, its `finally` would run."""
        self._tasks.append(task)
        if self.alive and len(self._tasks) > self._kept:
            self._tasks = self.unfinished()
            self._kept = 64 + 2 * len(self._tasks)

    def unfinished(self) -> list[asyncio.Task[Any]]:
        """The tasks that have not ended."""
        return [task for task in self._tasks if not task.done()]

    def die(self) -> None:
        """Run no further line."""
        self.alive = self.awake = False
        self.ready.clear()

    def bury(self) -> None:
        """Dispose of what has not ended, when nobody looks any more."""
        self.die()
        while tasks := self.unfinished():
            self._tasks.clear()
            for task in tasks:
                _unwind(task.get_coro())


class _BuriedError(BaseException):
    """Nobody handles it, so that a coroutine ends."""


def _unwind(coroutine: Any) -> None:
    for _ in range(99):  # it may go on awaiting on its way out
        try:
            coroutine.throw(_BuriedError())
        except BaseException:  # noqa: BLE001 - nobody is there to tell
            return
