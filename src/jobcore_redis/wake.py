"""Waking those who wait for work by publish and subscribe.

All of it is hints: whoever waits polls as well. Who subscribes anew rings for
everybody, as nobody knows what was told meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence, Set
from contextlib import aclosing, suppress
from datetime import timedelta
from secrets import token_hex
from typing import Final

from jobcore import StoreError
from jobcore_redis.part import Message, News
from jobcore_redis.server import Server

_logger = logging.getLogger("jobcore.store")

_REST: Final = 0.005
"""Seconds between two messages of one process: what comes meanwhile is told with the
next."""
_AGAIN: Final = 1.0
"""Seconds before a listener that was cut off subscribes anew."""
_PASSES: Final = 2
"""How many passes of the event loop it takes who was woken to send a claim, before
which there is no hurry to listen on."""
_PATIENCE: Final = 0.1
"""Seconds after which what has not ended is cancelled again."""
_EVERYBODY: Final = "*"
_NO_MESSAGE: Final = Message()

Names = frozenset[str]


class Waker:
    """Tells other processes of news, and hears of theirs."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._name = token_hex(4)
        self._waiting: dict[asyncio.Event, Names] = {}
        self._untold: set[str] = set()
        self._rests_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._telling: asyncio.Task[None] | None = None
        self._is_open = False
        self.listens: asyncio.Event = asyncio.Event()
        """Set once it hears what is told."""

    def open(self) -> None:
        """Begin to listen, beside everything else."""
        self._is_open = True
        self._begin(self._listen())

    async def close(self) -> None:
        """Listen no more, and tell what has not been told yet."""
        self._is_open = False
        while tasks := set(self._tasks):
            for each in tasks:
                each.cancel()
            # `wait_for` of Python 3.11 may swallow one.
            await asyncio.wait(tasks, timeout=_PATIENCE)
        self._telling = None
        await self._tell_now()

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        """Return on news for *worker*, or after *timeout*."""
        self._server.usable()
        rung = asyncio.Event()
        self._waiting[rung] = _names(queues, [worker]) | {_EVERYBODY}
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await rung.wait()
        except TimeoutError:
            pass
        finally:
            del self._waiting[rung]

    def message(self, news: News) -> Message:
        """What a script that makes the *news* is to tell other processes, before `tell`
        is called; nothing, where this process has told them something just now."""
        if not news or self._rest() > 0:
            return _NO_MESSAGE
        names = _names(news.queues, news.workers)
        return Message(names, self._server.channel, self._text(names))

    def tell(self, news: News | None, told: Names = frozenset()) -> None:
        """Wake whom *news* concern, here and elsewhere, but for those that have been
        *told* elsewhere; everybody for None."""
        names = {_EVERYBODY} if news is None else _names(news.queues, news.workers)
        self._ring(names)
        self._untold |= names - told
        if self._untold and self._telling is None:
            self._telling = self._begin(self._tell())

    def _ring(self, names: Names | set[str]) -> None:
        for rung, wanted in self._waiting.items():
            if _EVERYBODY in names or not wanted.isdisjoint(names):
                rung.set()

    def _begin(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name="jobcore-redis-wake")  # type: ignore[arg-type]  # a coroutine
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
                    await asyncio.sleep(rest)
                else:
                    await self._tell_now()
        finally:
            self._telling = None

    async def _tell_now(self) -> None:
        names, self._untold = self._untold, set()
        if names:
            with suppress(StoreError):
                await self._server.publish(self._text(names))

    def _text(self, names: Set[str]) -> str:
        self._rests_until = asyncio.get_running_loop().time() + _REST
        return " ".join([self._name, *sorted(names)])

    def _rest(self) -> float:
        return self._rests_until - asyncio.get_running_loop().time()

    async def _listen(self) -> None:
        while self._is_open:
            try:
                async with aclosing(self._server.messages()) as messages:
                    async for told in messages:
                        self.listens.set()
                        name, *names = told.split(" ")
                        if name != self._name:
                            self._ring(set(names) or {_EVERYBODY})
                            for _ in range(_PASSES):
                                await asyncio.sleep(0)
            except StoreError as error:
                _logger.warning("not listening: %s", error)
            await asyncio.sleep(_AGAIN)


def _names(queues: Sequence[str] | Names, workers: Sequence[str] | Names) -> Names:
    named = [f"q:{each}" for each in queues] + [f"w:{each}" for each in workers]
    return frozenset(named)
