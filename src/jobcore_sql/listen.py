"""Waking those who wait for work by LISTEN and NOTIFY.

All of it is hints: whoever waits polls as well. Who listens anew rings for everybody,
as nobody knows what was told meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence, Set
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from secrets import token_hex
from typing import Any, Final

from jobcore import StoreError
from jobcore_sql.wake import Bell

_logger = logging.getLogger("jobcore.store")

_REST: Final = 0.005
"""Seconds between two notifications of one process: what comes meanwhile is told with
the next."""
_CHANCE: Final = 0.001
"""Seconds more for an insert to take it along, which spares a round trip."""
_AGAIN: Final = 1.0
"""Seconds before a listener that was cut off connects anew."""
_MUCH_LATER: Final = 60.0
"""Seconds before one that heard nothing tries again."""
_CHECK: Final = 30.0
"""Seconds after which a listener makes sure that it still hears."""
_PATIENCE: Final = 5.0
"""Seconds in which a listener must hear itself."""

_ALL: Final = ""
"""Stands for every queue, as no queue is called that."""

Hear = Callable[[str], None]


class Listener:
    """Tells other processes of news, and hears of theirs.

    *listening* calls back with each notification until it is left, which it also is
    when its connection breaks; *notify* sends some.
    """

    def __init__(
        self,
        listening: Callable[[Hear], AbstractAsyncContextManager[Awaitable[Any]]],
        notify: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        self._listening = listening
        self._notify = notify
        self._bell = Bell()
        self._name = token_hex(4)
        self._heard_itself = asyncio.Event()
        self._untold: set[str] = set()
        self._told: Set[str] = frozenset()
        self._rests_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._telling: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to listen, beside everything else."""
        self._begin(self._listen())

    async def close(self) -> None:
        """Listen no more, and tell what has not been told yet."""
        tasks = list(self._tasks)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._telling, self._told = None, frozenset()
        await self._tell_now()

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,  # noqa: ARG002 - requests to cancel wake everybody
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        await self._bell.heard(frozenset(queues), timeout)

    def wake(self, queues: Set[str] | None) -> None:
        self._bell.ring(queues)
        self._untold |= {_ALL} if queues is None else queues - self._told
        self._told = frozenset()
        if self._untold and self._telling is None:
            self._telling = self._begin(self._tell())

    def news(self, queues: Set[str]) -> Sequence[str]:
        """What a transaction is to tell with its commit, after which `wake` is called;
        nothing, where this process has told of something just now."""
        if self._rest() > 0:
            return ()
        self._told = queues
        return self._next(queues)

    def _next(self, queues: Set[str] = frozenset()) -> Sequence[str]:
        """The next notifications: of *queues*, and of all that has not been told."""
        names, self._untold = self._untold | queues, set()
        self._rests_until = asyncio.get_running_loop().time() + _REST
        return [f"{self._name}:{each}" for each in names]

    def _rest(self) -> float:
        return self._rests_until - asyncio.get_running_loop().time()

    def forget(self, worker: str) -> None:
        """Nothing is kept of a worker."""

    async def hears(self) -> bool:
        # Who has just been opened does not listen yet, and hears its own first check.
        return await self._hears_itself()

    def _begin(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name="jobcore-sql-listen")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            _logger.error("no more hints from other processes", exc_info=fault)

    async def _tell(self) -> None:
        try:
            while self._untold:
                if (rest := self._rest()) > 0:
                    await asyncio.sleep(rest + _CHANCE)
                else:
                    await self._tell_now()
        finally:
            self._telling = None

    async def _tell_now(self) -> None:
        if self._untold:
            with suppress(StoreError):
                await self._notify(self._next())

    def _hear(self, told: str) -> None:
        name, is_news, queue = told.partition(":")
        if name == self._name:
            self._heard_itself.set()
        elif is_news:
            self._bell.ring(None if queue == _ALL else {queue})

    async def _listen(self) -> None:
        is_deaf = False
        while True:
            try:
                async with self._listening(self._hear) as broken:
                    self._bell.ring()
                    hears = await self._hears_itself()
                    if not hears and not is_deaf:
                        _logger.warning(_DEAF)
                    is_deaf = not hears
                    while hears and not await _ends(broken):
                        hears = await self._hears_itself()
            except StoreError as error:
                _logger.warning("not listening: %s", error)
            await asyncio.sleep(_MUCH_LATER if is_deaf else _AGAIN)

    async def _hears_itself(self) -> bool:
        self._heard_itself.clear()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._notify([self._name])
                return await self._heard_itself.wait()
        except TimeoutError:
            return False


async def _ends(broken: Awaitable[Any]) -> bool:
    """Whether a connection ends before it is to be checked again: one that something
    on the way has forgotten never does, and brings nothing."""
    try:
        async with asyncio.timeout(_CHECK):
            await asyncio.shield(broken)
    except TimeoutError:
        return False
    return True


_DEAF: Final = (
    "no notification comes through, as behind a pooler of transactions: workers of "
    "other processes are woken by polling only"
)
