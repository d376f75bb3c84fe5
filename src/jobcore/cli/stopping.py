"""How the process of a worker ends: by two signals, and never later than it says."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import FrameType
from typing import Final

from jobcore.worker import Worker

PATIENCE: Final = timedelta(seconds=0.5)
"""What a handler that was cancelled has to end in, before its job is given back."""
_MARGIN: Final = 0.95
"""Seconds from the last moment that handlers have until the process has ended."""
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """What SIGTERM and SIGINT do to a worker: the first lets it stop, the second at
    once. Should that not have ended the process in time, since the store does not
    answer or a handler keeps the event loop, it is ended without."""

    def __init__(self, worker: Worker, grace: timedelta) -> None:
        self._worker = worker
        self._grace = grace.total_seconds()
        self._loop = asyncio.get_running_loop()
        self._wanted = asyncio.Event()
        self._hurried = asyncio.Event()
        self._signals = 0

    async def wanted(self) -> None:
        """Return when the worker is to stop."""
        await self._wanted.wait()

    async def hurry(self) -> None:
        """Stop the worker at once when that is wanted."""
        await self._hurried.wait()
        await self._worker.stop()

    def receive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - how signals are received
        """Take a signal, at whatever the process is busy with."""
        self._signals += 1
        first = self._signals == 1
        event = self._wanted if first else self._hurried
        self._loop.call_soon_threadsafe(event.set)
        _end_process(_MARGIN + (self._grace if first else 0))


@asynccontextmanager
async def stopping(worker: Worker, grace: timedelta) -> AsyncIterator[Stopping]:
    """Let signals stop *worker*, which has *grace* for its handlers, until the body is
    left."""
    told = Stopping(worker, grace)
    before = {each: signal.signal(each, told.receive) for each in _SIGNALS}
    hurrying = asyncio.create_task(told.hurry())
    try:
        yield told
    finally:
        hurrying.cancel()
        for each, handler in before.items():
            signal.signal(each, handler)


def _end_process(seconds: float) -> None:
    """End this process in *seconds*, if it lives so long."""
    timer = threading.Timer(seconds, _give_up)
    timer.daemon = True
    timer.start()


def _give_up() -> None:
    sys.stderr.write(
        "jobcore: not all jobs were given back; they return when their leases end\n"
    )
    sys.stderr.flush()
    os._exit(1)
