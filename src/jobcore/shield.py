"""Acts that come to their end though whoever asked for them is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, TypeVar

T = TypeVar("T")

_shielded: Final = ContextVar[asyncio.Task[Any] | None]("shielded", default=None)
"""The task that runs an act, of whatever shield; tasks that it begins see it as well,
and are not shielded themselves."""


class Shield:
    """Runs acts in tasks of their own, which are called *name* and which nobody cancels
    but an event loop that ends.

    Cancelling who waits for an act abandons the wait, never the act. An act that is run
    by another runs in the other's task, as that is shielded already, by whatever
    shield.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()
        self._within_others = 0
        self._left_others = asyncio.Event()

    def start(self, act: Callable[[], Awaitable[T]]) -> asyncio.Future[T]:
        """Begin *act*. The future is only where its answer is wanted: it may be
        cancelled, and its error need not be asked for."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(_settle(answer, act), name=self._name)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, answer))
        return answer

    async def run(self, act: Callable[[], Awaitable[T]]) -> T:
        """The answer of *act*, or its error."""
        shielded = _shielded.get()
        if shielded is None or shielded is not asyncio.current_task():
            return await self.start(act)
        self._within_others += 1
        try:
            return await act()
        finally:
            self._within_others -= 1
            self._left_others.set()

    async def finish(self) -> None:
        """Wait for all acts, also those that are begun meanwhile, or within others."""
        while self._tasks or self._within_others:
            if self._tasks:
                await asyncio.wait(set(self._tasks))
            else:
                self._left_others.clear()
                await self._left_others.wait()

    def _ended(self, answer: asyncio.Future[Any], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        # Where the event loop cancels all that runs; else it forgets an unheard error.
        answer.cancel()


async def shielded(act: Callable[[], Awaitable[T]]) -> T:
    """The answer of *act*, which the current task runs and nobody cancels, so that acts
    within it need no task of their own."""
    _shielded.set(asyncio.current_task())
    try:
        return await act()
    finally:
        _shielded.set(None)  # else its context and the task would refer to each other


async def _settle(answer: asyncio.Future[T], act: Callable[[], Awaitable[T]]) -> None:
    # The end of the task would reach who waits some passes of the event loop later.
    try:
        result = await shielded(act)
    except Exception as error:  # noqa: BLE001 - it is the asker's
        if not answer.done():
            answer.set_exception(error)
    else:
        if not answer.done():
            answer.set_result(result)
