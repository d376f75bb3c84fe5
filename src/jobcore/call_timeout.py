"""An end to calls that take too long, by one timer for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import timedelta
from types import TracebackType


class CallTimeout:
    """Ends what takes longer than *longest* with TimeoutError, as `asyncio.timeout`
    does: `with timeout(): await call()`.

    That sets a timer whenever it is entered, which costs a short call more than its own
    work. Here all may take the same time, so that the first to begin is the first to be
    late, and one timer is enough.
    """

    def __init__(self, longest: timedelta) -> None:
        self._longest = longest.total_seconds()
        self._running: dict[_Call, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> _Call:
        """What the task that makes a call enters around it."""
        return _Call(self._begin, self._running)

    def close(self) -> None:
        """Leave no timer behind, unless there is a call that still may be late."""
        if self._timer is not None and not self._running:
            self._timer.cancel()
            self._timer = None

    def _begin(self, call: _Call) -> None:
        until = asyncio.get_running_loop().time() + self._longest
        self._running[call] = until
        if self._timer is None:
            self._set(until)

    def _set(self, until: float) -> None:
        # In no context, as it outlives the call that it is set by.
        loop, context = asyncio.get_running_loop(), Context()
        self._timer = loop.call_at(until, self._look, context=context)

    def _look(self) -> None:
        """End what is late, and look again when the next may be."""
        self._timer, now = None, asyncio.get_running_loop().time()
        for call, until in list(self._running.items()):
            if until > now:
                self._set(until)
                return
            del self._running[call]
            call.cancel()


class _Call:
    """One call, in the task that makes it."""

    __slots__ = ("_begin", "_is_late", "_requests", "_running", "_task")

    def __init__(
        self, begin: Callable[[_Call], None], running: dict[_Call, float]
    ) -> None:
        self._begin = begin
        self._running = running
        self._is_late = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call is made in a task")
        self._task = task
        self._requests = task.cancelling()
        self._begin(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.pop(self, None)
        if not self._is_late:
            return
        is_only_late = self._task.uncancel() <= self._requests
        if is_only_late and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def cancel(self) -> None:
        self._is_late = True
        self._task.cancel()
