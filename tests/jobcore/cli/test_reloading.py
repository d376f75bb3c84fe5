"""A worker that starts again when its source changes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.jobcore.cli.conftest import Command

pytestmark = pytest.mark.anyio

MODULE = """
from jobcore import Tasks
print({number}, flush=True)
tasks = Tasks()
"""


async def test_a_change_of_a_file_starts_it_again(tmp_path: Path, url: str) -> None:
    module = tmp_path / "host.py"
    module.write_text(MODULE.format(number=1))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jobcore", "worker", "host:tasks"),
        *("--reload", "--store", url),
        cwd=tmp_path,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        assert await process.stdout.readline() == b"1\n"
        while b" works on " not in (line := await process.stderr.readline()):
            assert line
        # Of another size: bytecode stands for what changed within its second.
        module.write_text(MODULE.format(number=22))
        assert await process.stdout.readline() == b"22\n"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


def test_without_its_extra_it_says_how_to_install_that(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    told = command("worker", "host:tasks", "--reload", "--store", "memory://")
    assert told.code == 2
    assert "pip install 'jobcore-core[cli,reload]'" in told.err
