"""A terminal in which commands of the documentation are run, in one folder."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

_SHELL: Final = ("bash", "-euo", "pipefail", "-c")
_INSTALL: Final = "pip install "
_PORT: Final = re.compile(r"--port (\d+)")


@asynccontextmanager
async def terminal(folder: Path, meant: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """A terminal in *folder*, in which words are what is *meant* by them."""
    opened = Terminal(folder, meant)
    try:
        yield opened
    finally:
        await opened.stop()


class Terminal:
    """What is exported stays so. What is to be installed is looked for, not fetched."""

    def __init__(self, folder: Path, meant: Mapping[str, str]) -> None:
        self._folder = folder
        self._meant = meant
        own = {k: v for k, v in os.environ.items() if not k.startswith("JOBCORE_")}
        own.pop("PYTEST_ADDOPTS", None)
        self._variables: dict[str, str] = {
            **own,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self._behind: list[Process] = []

    async def run(self, text: str) -> str:
        """What *text* prints; AssertionError where it fails."""
        process = await self._start(text)
        told, problems = await process.communicate()
        assert process.returncode == 0, told.decode() + problems.decode()
        return told.decode()

    async def run_behind(self, text: str) -> None:
        """Let *text*, one command, run until `stop`; return when its port is open."""
        process = await self._start(f"exec {text}")
        self._behind.append(process)
        for port in _PORT.findall(self._said(text)):
            while process.returncode is None and not await _answers(int(port)):  # noqa: ASYNC110 - nobody tells when it listens
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """End what runs behind; AssertionError where it does not end in order."""
        behind, self._behind = self._behind, []
        for process in behind:
            with suppress(ProcessLookupError):
                process.terminate()
        for process in behind:
            told, problems = await process.communicate()
            ended = {0, -15}  # uvicorn ends by the signal, once it has ended in order
            assert process.returncode in ended, told.decode() + problems.decode()

    def _said(self, text: str) -> str:
        for word, meaning in self._meant.items():
            text = text.replace(word, meaning)
        return text

    async def _start(self, text: str) -> Process:
        lines = self._said(text).splitlines()
        for line in lines:
            if line.startswith(_INSTALL):
                assert all(is_there(each) for each in _names(line)), line
            elif export := re.fullmatch(r"export (\w+)=(.*)", line):
                (self._variables[export[1]],) = shlex.split(export[2])
        commands = [each for each in lines if not each.startswith(_INSTALL)]
        return await asyncio.create_subprocess_exec(
            *(*_SHELL, "\n".join(commands)),
            cwd=self._folder,
            env=self._variables,
            stdout=PIPE,
            stderr=PIPE,
        )


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _names(line: str) -> list[str]:
    """The distributions that a command installs, with their extras."""
    return [each for each in shlex.split(line)[2:] if not each.startswith("-")]


def is_there(requirement: str) -> bool:
    """Whether a distribution is installed here, and has the extras that are named."""
    name, _, extras = requirement.rstrip("]").partition("[")
    try:
        known = metadata(name).get_all("Provides-Extra", [])
    except PackageNotFoundError:
        return False
    return set(extras.split(",")) - {""} <= set(known)
