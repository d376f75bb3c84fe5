"""A fleet of worker processes, in which the dead are replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, cast

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Member:
    """A process that works, by the name that the store knows it by."""

    worker: str
    process: Process

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def worked(self) -> float:
        """For how many seconds it has kept a core busy."""
        told = Path(f"/proc/{self.process.pid}/stat").read_text()
        user, system = told.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class WorkerDiedError(Exception):
    """A worker ended by itself; its log says why."""


class Fleet:
    """Processes that run *command*; what they log goes to the file *log*."""

    def __init__(
        self, size: int, command: list[str], settings: dict[str, str], log: Path
    ) -> None:
        self._size = size
        self._command = [sys.executable, "-m", "tools.faults.worker", *command]
        self._settings = settings
        self._log = log
        self._members: dict[str, Member] = {}
        self._processes: list[Process] = []
        self._starting: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for _ in range(self._size):
            self._start_another()
        try:
            await self.complete()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._end()

    def ready(self) -> dict[str, Member]:
        """Who works now, by name."""
        for each in self._members.values():
            if each.process.returncode is not None:
                raise WorkerDiedError(each.worker, each.process.returncode)
        for task in [each for each in self._starting if each.done()]:
            self._starting.remove(task)
            task.result()
        return dict(self._members)

    @contextmanager
    def watched(self) -> Iterator[dict[str, float]]:
        """Which share of a core each worker has used while the body ran, after it."""
        shares: dict[str, float] = {}
        before = {name: each.worked() for name, each in self.ready().items()}
        began_at = time.monotonic()
        yield shares
        seconds = time.monotonic() - began_at
        for name, each in self.ready().items():
            if name in before:
                shares[name] = (each.worked() - before[name]) / seconds

    async def complete(self) -> None:
        """Wait until those that are being started are ready."""
        await asyncio.gather(*self._starting)

    async def kill(self, member: Member) -> None:
        """Kill a member, and start another in its place."""
        del self._members[member.worker]
        member.send(signal.SIGKILL)
        await member.process.wait()
        self._start_another()

    async def stop(self) -> None:
        """Let all end in good order."""
        await self.complete()
        members = self.ready().values()
        self._members.clear()
        await asyncio.gather(*(each.process.communicate(b"") for each in members))
        for each in members:
            if each.process.returncode:
                raise WorkerDiedError(each.worker, each.process.returncode)

    def _start_another(self) -> None:
        self._starting.add(asyncio.create_task(self._start()))

    async def _start(self) -> None:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=ROOT,
                env={**os.environ, **self._settings},
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
            )
        self._processes.append(process)
        output = cast(asyncio.StreamReader, process.stdout)
        name = (await output.readline()).decode().strip()
        if not name:
            raise WorkerDiedError("", await process.wait())
        self._members[name] = Member(name, process)

    async def _end(self) -> None:
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
