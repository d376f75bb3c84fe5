"""Pages of the documentation as programs: their blocks are run, one after the other.

All blocks of Python on a page are one program, with `await` wherever it is wanted. What
a block needs besides stands in a comment, `<!-- python ... -->`, which runs as well, or
`<!-- python in a thread ... -->`. A comment of one line right before a block says what
else is to be done:

    <!-- file: NAME -->               it is written to that file
    <!-- end of: NAME -->             it is added to the end of that file
    <!-- in a thread -->              it runs in a thread, where no event loop is
    <!-- printed -->                  it is what the block before prints, but for `...`
    <!-- run -->                      it is of the shell, and runs where the files are
    <!-- run in the background -->    likewise, until `<!-- stop -->` or the end
    <!-- theirs -->                   it is somebody else's, and only has to be Python
    <!-- PATH -->                     it is a part of that file, which others test

A block with `asyncio.run` is a program of its own. What the shell is told to install is
there already; the server on port 8000, and the database that it is told of, are those
of the test.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import io
import re
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
from tests.ports import free_port
from tests.terminal import Terminal, terminal

ROOT: Final = Path(__file__).parents[1]
SERVERS: Final[dict[str, Callable[[], str]]] = {
    "postgresql": lambda: postgresql.url("18"),
    "redis": lambda: redis.url("6.2"),
}
"""What starts a server of the tests, and tells its URL."""
DATABASES: Final = (
    "postgresql+asyncpg://postgres@localhost/jobs",
    "postgresql://user@host/database",
)
"""What pages call a database that is made for each of them."""
PORT: Final = "8000"

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

    @property
    def is_quoted(self) -> bool:
        """Whether it is a part of a file of the repository."""
        return "/" in self.mark and (ROOT / self.mark).is_file()


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
            if mark == "stop":
                yield Block(line, "", "", mark)
        else:
            if token.type == "fence":
                yield Block(line, token.info, token.content, mark)
            mark = ""


async def run(page: Path, folder: Path) -> None:
    """Run *page* in *folder*, the working directory, which is empty."""
    found = list(blocks(page))
    meant = {PORT: str(free_port())}
    async with AsyncExitStack() as stack:
        if any(name in each.code for each in found for name in DATABASES):
            another = postgresql.another_database("18")
            url = await stack.enter_async_context(another)
            meant.update(dict.fromkeys(DATABASES, url))
        shell = await stack.enter_async_context(terminal(folder, meant))
        program = _Program(page, folder, stack, shell)
        for block in found:
            try:
                if block.is_quoted:
                    there = (ROOT / block.mark).read_text()
                    assert block.code in there, f"{block.mark} has no such part"
                else:
                    await program.run(block)
            except Exception as error:
                error.add_note(f"on {page}, line {block.line}")
                raise


class _Program:
    """A page that runs: what it has named, and what its last block has printed."""

    def __init__(
        self, page: Path, folder: Path, stack: AsyncExitStack, shell: Terminal
    ) -> None:
        self._page = page
        self._folder = folder
        self._shell = shell
        self._names: dict[str, Any] = {
            "__name__": "__page__",
            "django": django_host.configure,
            "enter": stack.enter_async_context,
            "server": lambda kind: SERVERS[kind](),
            "trial_url": trial_url,
        }
        self._thread = stack.enter_context(ThreadPoolExecutor(max_workers=1))
        self._printed = ""

    async def run(self, block: Block) -> None:
        mark, _, name = block.mark.partition(": ")
        match mark:
            case "printed":
                self._compare(block.code)
            case "file" | "end of":
                self._write(name, block.code, further=mark == "end of")
            case "theirs":
                ast.parse(block.code)
            case "run":
                self._printed = await self._shell.run(block.code)
            case "run in the background":
                await self._shell.run_behind(block.code)
            case "stop":
                await self._shell.stop()
            case _ if block.language in _PYTHON:
                self._printed = await self._python(block)

    def _write(self, name: str, text: str, *, further: bool) -> None:
        file = self._folder / name
        before = f"{file.read_text()}\n\n" if further else ""
        file.write_text(before + text)

    async def _python(self, block: Block) -> str:
        threaded = block.mark == "in a thread"
        whole = "asyncio.run(" in block.code and not threaded
        code = self._compiled(block, 0 if whole else ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        names = {"__name__": "__main__"} if whole else self._names
        with redirect_stdout(io.StringIO()) as printed:
            if whole or threaded:
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

    def _compare(self, said: str) -> None:
        checker = doctest.OutputChecker()
        printed = f"{self._printed.rstrip()}\n"
        same = checker.check_output(said, printed, doctest.ELLIPSIS)
        assert same, f"printed was {self._printed!r}, not {said!r}"
