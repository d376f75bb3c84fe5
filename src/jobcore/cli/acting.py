"""Acting on jobs: counted and asked about before, with progress, and told after."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from getpass import getuser
from time import monotonic
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress

from jobcore.cli.mistakes import MistakeError
from jobcore.cli.printing import remark, show
from jobcore.cli.selection import Selection
from jobcore.cli.store import opened
from jobcore.matching import Matching
from jobcore.query import Filter
from jobcore.sweeping import OnProgress

Act = Callable[[Matching], Awaitable[int]]
_SURE: Final = frozenset({"y", "yes"})
_BETWEEN_LINES: Final = 5.0
"""Seconds between two lines about the progress of long work."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Consent:
    """Who does it, and whether it is to be asked about."""

    every: Annotated[bool, Parameter(name="--all")] = False
    """All jobs, whatever they are."""
    yes: bool = False
    """Do not ask."""
    actor: str | None = None
    """Who does it, which jobs keep; by default the name that you are logged in by."""


@dataclass(frozen=True)
class Acting:
    """One act on the jobs that a command line means."""

    verb: str
    ids: tuple[str, ...]
    which: Selection
    consent: Consent
    store: str | None

    def act(self, act: Act) -> int:
        """Count, ask, act, and tell how many jobs were changed. The exit code is 1
        where that is not all that were named by their ids. The store is not kept open
        while somebody thinks."""
        if self.which.is_empty and not (self.ids or self.consent.every):
            raise MistakeError("which jobs?", "Name ids, or a filter, or say --all")
        number = asyncio.run(self._count())
        if number and not self._is_sure(number):
            remark("nothing was done")
            return 1
        done = asyncio.run(self._act(act, number)) if number else 0
        show(f"{self.verb}: {done} of {_jobs(number)}")
        if self.ids and done < number:
            remark("the others do not allow it, as they are now")
            return 1
        return 0

    async def _count(self) -> int:
        async with opened(self.store) as manager:
            for each in self.ids:
                await manager.get(each)
            return await manager.matching(self._filter()).count()

    def _is_sure(self, number: int) -> bool:
        if self.consent.yes or (self.ids and self.which.is_empty):
            return True
        if not sys.stdin.isatty():
            raise MistakeError(
                "--yes", f"is needed to {self.verb} {_jobs(number)} unasked"
            )
        sys.stderr.write(f"{self.verb} {_jobs(number)}? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in _SURE

    async def _act(self, act: Act, number: int) -> int:
        actor = self.consent.actor or _login()
        with ExitStack() as stack:
            on_progress = _progress(stack, self.verb, number)
            async with opened(self.store) as manager:
                return await act(
                    manager.matching(
                        self._filter(), actor=actor, on_progress=on_progress
                    )
                )

    def _filter(self) -> Filter:
        return self.which.filter(tuple(dict.fromkeys(self.ids)))


def _progress(stack: ExitStack, verb: str, number: int) -> OnProgress:
    """What shows on a terminal how many of *number* jobs are done."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return _progress_in_lines(verb, number)
    bar = stack.enter_context(Progress(console=console, transient=True))
    task = bar.add_task(verb, total=number)
    return lambda done: bar.update(task, completed=done)


def _progress_in_lines(verb: str, number: int) -> OnProgress:
    said_at = monotonic()

    def say(done: int) -> None:
        nonlocal said_at
        if monotonic() - said_at >= _BETWEEN_LINES:
            said_at = monotonic()
            remark(f"{verb}: {done} of {_jobs(number)} so far")

    return say


def _login() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # as in containers, where users have no names
        return f"user {os.getuid()}"


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"
