"""How a manager calls its store: in tasks of its own, again after an outage."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from jobcore.errors import StoreNotOpenError, StoreUnavailableError
from jobcore.events import Event, EventKind, Events
from jobcore.retry import SYSTEM_RANDOM

T = TypeVar("T")


class StoreCalls:
    """Makes calls to a store and outlives the cancellation of whoever asked for them.

    Each call runs in a task of its own: cancelling the caller abandons the wait, never
    the call. A call that finds the store unavailable is repeated, with the same ids and
    tokens, and no repeat begins later than *patience* after the call. Calls from
    another process or event loop than the one that opened it are refused.
    """

    def __init__(
        self,
        patience: timedelta,
        random: Random = SYSTEM_RANDOM,
        events: Events | None = None,
    ) -> None:
        self._patience = patience
        self._random = random
        self._events = events or Events()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._calls: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()

    @property
    def are_open(self) -> bool:
        """Whether calls may be made from its process and event loop."""
        return self._loop is not None

    async def close(self) -> None:
        """Wait for all calls, also those that finishing calls make, and refuse more."""
        try:
            while self._calls:
                await asyncio.wait(set(self._calls))
        finally:
            self._loop = None

    async def call(self, verb: Callable[[], Awaitable[T]]) -> T:
        """The result of *verb*, or its error."""
        return await self.start(verb)

    async def repeat(self, verb: Callable[[], Awaitable[T]]) -> T:
        """The same, for who runs in a task of the manager's, which nobody cancels."""
        return await self._repeat(verb, self._patience)

    def start(
        self, verb: Callable[[], Awaitable[T]], patience: timedelta | None = None
    ) -> asyncio.Future[T]:
        """Begin to call *verb*. The future is only where the answer is wanted: it may
        be cancelled, and its error need not be asked for."""
        self.check()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        call = self._settle(
            answer, verb, self._patience if patience is None else patience
        )
        task = asyncio.create_task(call, name="jobcore-store-call")
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return answer

    async def _settle(
        self,
        answer: asyncio.Future[T],
        verb: Callable[[], Awaitable[T]],
        patience: timedelta,
    ) -> None:
        # The end of the task would reach who waits some passes of the event loop later.
        try:
            result = await self._repeat(verb, patience)
        except Exception as error:  # noqa: BLE001 - it is the caller's
            if not answer.done():
                answer.set_exception(error)
                answer.exception()
        else:
            if not answer.done():
                answer.set_result(result)
        finally:
            answer.cancel()  # where the event loop cancels all that runs

    async def _repeat(self, verb: Callable[[], Awaitable[T]], patience: timedelta) -> T:
        loop = asyncio.get_running_loop()
        until = loop.time() + patience.total_seconds()
        try:
            return await verb()
        except StoreUnavailableError as error:
            if loop.time() >= until:
                raise
            detail = f"{error}; trying again for up to {patience}"
            self._events.tell(Event(EventKind.DEGRADED, detail=detail))

        async def attempt() -> T:
            return await verb()

        answer: T = await AsyncRetrying(
            retry=retry_if_exception_type(StoreUnavailableError),
            wait=self._pause,
            stop=lambda state: loop.time() + state.upcoming_sleep >= until,
            reraise=True,
        )(attempt)
        self._events.tell(Event(EventKind.RESTORED))
        return answer

    def _pause(self, state: RetryCallState) -> float:
        return self._random.uniform(0, min(0.1 * 2**state.attempt_number, 2))

    def check(self) -> None:
        """StoreNotOpenError where no call may be made from here."""
        if self._loop is None:
            raise StoreNotOpenError("its manager is not open")
        if os.getpid() != self._process:
            raise StoreNotOpenError(f"it was opened in process {self._process}")
        if asyncio.get_running_loop() is not self._loop:
            raise StoreNotOpenError("it was opened in another event loop")
