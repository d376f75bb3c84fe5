"""How the process of a worker ends: by two signals, and never later than it says."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Final

from jobcore.worker import Worker

PATIENCE: Final = timedelta(seconds=0.3)
"""What a handler that was cancelled has to end in, before its job is given back."""
_MARGIN: Final = 0.95
"""Seconds from the last moment that handlers have until the process has ended."""
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """What SIGTERM and SIGINT do to a worker: the first lets it stop, the second at
    once. Should that not have ended the process in time, since the store does not
    answer or a handler keeps the event loop, it is ended without."""

    def __init__(self, grace: timedelta) -> None:
        self._grace = grace.total_seconds()
        self._loop = asyncio.get_running_loop()
        self._wanted = asyncio.Event()
        self._hurried = asyncio.Event()
        self._signals = 0

    async def let_work(self, worker: Worker) -> None:
        """Let *worker* work until a signal comes, and stop as the signals say."""
        async with worker:
            await self._wanted.wait()
            async with asyncio.TaskGroup() as group:
                hurrying = group.create_task(self._hurry(worker))
                await worker.stop()
                hurrying.cancel()

    def receive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - how signals are received
        """Take a signal, at whatever the process is busy with."""
        self._signals += 1
        first = self._signals == 1
        event = self._wanted if first else self._hurried
        self._loop.call_soon_threadsafe(event.set)
        _end_process(_MARGIN + (self._grace if first else 0))

    async def _hurry(self, worker: Worker) -> None:
        await self._hurried.wait()
        await worker.stop()


@contextmanager
def stopping(grace: timedelta) -> Iterator[Stopping]:
    """Let signals do what `Stopping` says until the body is left. Handlers of jobs have
    *grace* to end by themselves."""
    told = Stopping(grace)
    before = {each: signal.signal(each, told.receive) for each in _SIGNALS}
    try:
        yield told
    finally:
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
