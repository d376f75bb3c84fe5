"""Other processes that work on the same file."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PREAMBLE = """
import asyncio, sys
from datetime import timedelta
from jobcore import Answer, ClaimRequest, NewJob
from jobcore.lifecycle import complete
from jobcore_sql import SQLJobStore

url, name = sys.argv[1:]

def say(word):
    print(word, flush=True)

def hear():
    return sys.stdin.readline().strip()
"""


@asynccontextmanager
async def another(script: str, url: str, name: str = "") -> AsyncIterator[Process]:
    """A process that runs *script* as the body of an async function."""
    body = "".join(f"    {line}\n" for line in script.strip().splitlines())
    code = f"{PREAMBLE}\nasync def main():\n{body}\nasyncio.run(main())\n"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, url, name, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def heard(process: Process) -> str:
    """What the process says next."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


def tell(process: Process, word: str = "") -> None:
    """Say something to the process."""
    assert process.stdin is not None
    process.stdin.write(f"{word}\n".encode())


async def finished(process: Process) -> str:
    """All that is left of what it says, once it has ended well."""
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()
