"""Pages of the documentation as programs: their blocks are run, one after the other.

All blocks of Python on a page are one program, with `await` wherever it is wanted. What
a block needs besides stands in a comment, `<!-- python ... -->`, which runs as well, or
`<!-- python in a thread ... -->`. A comment of one line right before a block says what
else is to be done:

    <!-- file: NAME -->    it is written to that file
    <!-- in a thread -->   it runs in a thread, where no event loop is
    <!-- printed -->       it is what the block before prints; `...` stands for any text
    <!-- run -->           it is of the shell, and runs in the folder of the files
    <!-- theirs -->        it is somebody else's, and only has to be Python

A block with `asyncio.run` is a program of its own. What the shell is told to install is
ours, and there already.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import io
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, Final

from markdown_it import MarkdownIt

from jobcore.testing import trial_url
from tests.jobcore_redis import servers as redis
from tests.jobcore_sql import django_host, postgresql

ROOT: Final = Path(__file__).parents[1]
SERVERS: Final[dict[str, Callable[[], str]]] = {
    "postgresql": lambda: postgresql.url("18"),
    "redis": lambda: redis.url("6.2"),
}
"""What starts a server of the tests, and tells its URL."""

_PYTHON: Final = {"py", "python"}
_HIDDEN: Final = re.compile(r"<!-- python(?: (in a thread))?\n(.*?)-->", re.DOTALL)
_MARK: Final = re.compile(r"<!-- ([^\n]+?) -->$")


@dataclass(frozen=True)
class Block:
    """A block of code on a page, and what the comment before it says of it."""

    line: int
    language: str
    code: str
    mark: str = ""


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of *page*, in order, with those that its readers do not see."""
    mark = ""
    for token in MarkdownIt().parse(page.read_text()):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "html_block":
            text = token.content.strip()
            for hidden in _HIDDEN.finditer(text):
                yield Block(line, "python", hidden[2], hidden[1] or "")
            found = _MARK.search(text)
            mark = found[1] if found else ""
        else:
            if token.type == "fence":
                yield Block(line, token.info, token.content, mark)
            mark = ""


async def run(page: Path, folder: Path) -> None:
    """Run *page* in *folder*, the working directory, which is empty."""
    async with AsyncExitStack() as stack:
        await _Page(page, folder, stack).run()


class _Page:
    def __init__(self, page: Path, folder: Path, stack: AsyncExitStack) -> None:
        self._page = page
        self._folder = folder
        self._names: dict[str, Any] = {
            "__name__": "__page__",
            "django": django_host.configure,
            "enter": stack.enter_async_context,
            "server": lambda kind: SERVERS[kind](),
            "trial_url": trial_url,
        }
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._variables = {
            **{k: v for k, v in os.environ.items() if not k.startswith("JOBCORE_")},
            "PATH": path,
        }
        self._variables.pop("PYTEST_ADDOPTS", None)
        self._thread = stack.enter_context(ThreadPoolExecutor(max_workers=1))
        self._printed = ""

    async def run(self) -> None:
        for block in blocks(self._page):
            if block.mark == "printed":
                self._compare(block)
            elif block.mark.startswith("file: "):
                name = block.mark.removeprefix("file: ")
                (self._folder / name).write_text(block.code)
            elif block.mark == "theirs":
                ast.parse(block.code)
            elif block.language in _PYTHON:
                self._printed = await self._python(block)
            elif block.mark == "run":
                self._printed = await self._shell(block)

    async def _python(self, block: Block) -> str:
        whole = "asyncio.run(" in block.code and block.mark != "in a thread"
        code = self._compiled(block, 0 if whole else ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        names = {"__name__": "__main__"} if whole else self._names
        with redirect_stdout(io.StringIO()) as printed:
            if whole or block.mark == "in a thread":
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._thread, exec, code, names)
            else:
                done = eval(code, names)  # noqa: S307 - what the page says
                if inspect.iscoroutine(done):
                    await done
        return printed.getvalue()

    def _compiled(self, block: Block, flags: int) -> CodeType:
        """Its lines are numbered as on the page, for tracebacks."""
        source = "\n" * block.line + block.code
        code: CodeType = compile(
            source, self._page, "exec", flags=flags, dont_inherit=True
        )
        return code

    async def _shell(self, block: Block) -> str:
        lines = block.code.splitlines()
        for line in lines:
            if line.startswith("pip install "):
                assert set(_names(line)) <= ours(), line
            elif export := re.fullmatch(r"export (\w+)=(.*)", line):
                (self._variables[export[1]],) = shlex.split(export[2])
        commands = [each for each in lines if not each.startswith("pip install ")]
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", "\n".join(commands)),
            cwd=self._folder,
            env=self._variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told, problems = await process.communicate()
        where = f"{self._page.name}:{block.line}"
        assert process.returncode == 0, f"{where}: {told.decode()}{problems.decode()}"
        return told.decode()

    def _compare(self, block: Block) -> None:
        same = doctest.OutputChecker().check_output(
            block.code, self._printed, doctest.ELLIPSIS
        )
        where = f"{self._page.name}:{block.line}"
        assert same, f"{where} says {block.code!r}, printed was {self._printed!r}"


def _names(line: str) -> list[str]:
    """The distributions that a command installs, with their extras."""
    return [each for each in shlex.split(line)[2:] if not each.startswith("-")]


def ours() -> set[str]:
    """What can be installed of ours: each distribution, alone or with one extra."""
    found = set[str]()
    for file in (ROOT / "src").glob("*/pyproject.toml"):
        project = tomllib.loads(file.read_text())["project"]
        extras = project.get("optional-dependencies", {})
        found |= {project["name"], *(f"{project['name']}[{each}]" for each in extras)}
    return found
