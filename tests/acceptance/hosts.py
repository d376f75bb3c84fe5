"""Hosts in processes of their own, each with a worker, of which some are killed."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

_HOST: Final = Path(__file__).with_name("exclusive.py")


class Hosts:
    """They work on the store of *url*, and write what they do to *journal*."""

    def __init__(self, url: str, journal: Path) -> None:
        self._command = (sys.executable, str(_HOST), url, str(journal))
        self._running: list[asyncio.subprocess.Process] = []
        self.killed_at: dict[int, float] = {}

    async def start(self) -> None:
        process = await asyncio.create_subprocess_exec(*self._command)
        self._running.append(process)

    async def kill(self) -> None:
        """Kill the one that has worked for longest."""
        process = self._running.pop(0)
        process.kill()
        await process.wait()
        self.killed_at[process.pid] = time.monotonic()

    async def kill_all(self) -> None:
        while self._running:
            await self.kill()
