"""Contestants in processes of their own: started, told when to go, listened to."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contestant import Offer, Order

HERE = Path(__file__).resolve().parent
PATIENCE = 300.0
_LONGEST = 2**28
"""Bytes of a line: a journal of a million jobs fits."""


class SilentError(Exception):
    """A contestant ended, or went on for too long, without saying what was awaited."""

    def __init__(self, script: str, awaited: str) -> None:
        self.script = script
        self.awaited = awaited
        super().__init__(f"{script} never said {awaited!r}")


class Process:
    """A contestant that plays one role."""

    def __init__(self, script: Path, process: asyncio.subprocess.Process) -> None:
        self.id: int = process.pid
        self._script = script
        self._process = process

    async def heard(self, event: str) -> dict[str, Any]:
        """The facts of the next *event*; other output of the contestant is nothing."""
        output = self._process.stdout
        try:
            async with asyncio.timeout(PATIENCE):
                while output is not None and (line := await output.readline()):
                    if line.startswith(b'{"event": '):
                        facts: dict[str, Any] = json.loads(line)
                        if facts["event"] == event:
                            return facts
        except TimeoutError:
            pass
        raise SilentError(self._script.name, event)

    def tell(self) -> None:
        """Let it go on."""
        if self._process.stdin is not None:
            self._process.stdin.write(b"go\n")


@asynccontextmanager
async def started(
    command: Sequence[str], script: Path, order: Order
) -> AsyncIterator[Process]:
    """A process that is over when the context is left."""
    process = await asyncio.create_subprocess_exec(
        *command,
        str(script),
        json.dumps(asdict(order)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST,
    )
    try:
        yield Process(script, process)
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@dataclass(frozen=True)
class Entry:
    """A contestant on one store, in one variant."""

    name: str
    version: str
    python: str
    script: Path
    offer: Offer

    @property
    def label(self) -> str:
        """How it is called in tables."""
        variant = self.offer.variant
        return f"{self.name} ({variant})" if variant else self.name

    @asynccontextmanager
    async def playing(self, order: Order) -> AsyncIterator[Process]:
        """A process that plays the role of *order*."""
        async with started([self.python], self.script, order) as process:
            yield process


def names() -> list[str]:
    """All contestants: there is a script for each."""
    found = (each.stem.removeprefix("with_") for each in HERE.glob("with_*.py"))
    return sorted(found, key=lambda name: (name != "jobcore", name))


async def entries(name: str) -> list[Entry]:
    """What the contestant *name* offers. A script that names its dependencies gets an
    environment of its own from uv, with this same Python."""
    script = HERE / f"with_{name}.py"
    command = [sys.executable]
    if "# /// script" in script.read_text():
        command = _in_its_own_environment()
    async with started(command, script, Order(role="facts")) as process:
        facts = await process.heard("facts")
    return [
        Entry(name, facts["version"], facts["python"], script, _offer(each))
        for each in facts["offers"]
    ]


def run_script(name: str, *arguments: Path) -> None:
    """Run the script *name*, in an environment of its own, to its end."""
    command = [*_in_its_own_environment(), str(HERE / name), *map(str, arguments)]
    subprocess.run(command, check=True)


def _in_its_own_environment() -> list[str]:
    options = ["--no-project", "--quiet", "--python", sys.executable, "--script"]
    return [shutil.which("uv") or "uv", "run", *options]


def _offer(said: dict[str, Any]) -> Offer:
    return Offer(**{**said, "works": frozenset(said["works"])})
