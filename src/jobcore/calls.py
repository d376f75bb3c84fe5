"""How a manager calls its store: shielded, and again after an outage."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from random import Random
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from jobcore.errors import StoreNotOpenError, StoreUnavailableError
from jobcore.events import Event, EventKind, Events
from jobcore.retry import SYSTEM_RANDOM
from jobcore.shield import Shield

T = TypeVar("T")


class StoreCalls:
    """Makes calls to a store and outlives the cancellation of whoever asked for them.

    Each call is shielded: cancelling the caller abandons the wait, never the call. One
    that finds the store unavailable is repeated, with the same ids and tokens, and no
    repeat begins later than *patience* after the call. Calls from another process or
    event loop than the one that opened it are refused.
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
        self._shield = Shield("jobcore-store-call")

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
            await self._shield.finish()
        finally:
            self._loop = None

    async def call(self, verb: Callable[[], Awaitable[T]]) -> T:
        """The result of *verb*, or its error."""
        return await self.start(verb)

    async def repeat(self, verb: Callable[[], Awaitable[T]]) -> T:
        """The same, for who is shielded, and may still call when others may not."""
        return await self._repeat(verb, self._patience)

    def start(
        self, verb: Callable[[], Awaitable[T]], patience: timedelta | None = None
    ) -> asyncio.Future[T]:
        """Begin to call *verb*. The future is only where the answer is wanted: it may
        be cancelled, and its error need not be asked for."""
        self.check()
        longest = self._patience if patience is None else patience
        return self._shield.start(partial(self._repeat, verb, longest))

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
