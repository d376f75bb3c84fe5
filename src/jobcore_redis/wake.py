"""Waking those who wait for work by publish and subscribe.

All of it is hints: whoever waits polls as well. Who subscribes anew rings for
everybody, as nobody knows what was told meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from secrets import token_hex
from typing import Final

from jobcore import StoreError
from jobcore_redis.part import News
from jobcore_redis.server import Server

_logger = logging.getLogger("jobcore.store")

_REST: Final = 0.005
"""Seconds between two messages of one process: what comes meanwhile is told with the
next."""
_AGAIN: Final = 1.0
"""Seconds before a listener that was cut off subscribes anew."""
_PATIENCE: Final = 0.1
"""Seconds after which what has not ended is cancelled again."""
_EVERYBODY: Final = "*"

Names = frozenset[str]


class Waker:
    """Tells other processes of news, and hears of theirs."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._name = token_hex(4)
        self._waiting: dict[asyncio.Event, Names] = {}
        self._untold: set[str] = set()
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
        with suppress(StoreError):
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

    def tell(self, news: News | None) -> None:
        """Wake whom *news* concern, here and elsewhere; everybody for None."""
        names = {_EVERYBODY} if news is None else _names(news.queues, news.workers)
        if not names:
            return
        self._ring(names)
        self._untold |= names
        if self._telling is None:
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
                with suppress(StoreError):
                    await self._tell_now()
                await asyncio.sleep(_REST)
        finally:
            self._telling = None

    async def _tell_now(self) -> None:
        names, self._untold = self._untold, set()
        if names:
            await self._server.publish(" ".join([self._name, *sorted(names)]))

    async def _listen(self) -> None:
        while self._is_open:
            try:
                async with aclosing(self._server.messages()) as messages:
                    async for told in messages:
                        self.listens.set()
                        name, *names = told.split(" ")
                        if name != self._name:
                            self._ring(set(names) or {_EVERYBODY})
            except StoreError as error:
                _logger.warning("not listening: %s", error)
            await asyncio.sleep(_AGAIN)


def _names(queues: Sequence[str] | Names, workers: Sequence[str] | Names) -> Names:
    named = [f"q:{each}" for each in queues] + [f"w:{each}" for each in workers]
    return frozenset(named)
