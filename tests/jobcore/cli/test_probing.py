"""Answering probes beside a worker."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import pytest

from jobcore.cli.mistakes import MistakeError
from jobcore.cli.probing import probed
from jobcore.health import Health
from tests.ports import free_port

pytestmark = pytest.mark.anyio


class Well:
    async def health(self) -> Health:
        return Health(alive=True, started=True, connected=False)


async def asked(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
    status = (await reader.readline()).decode()
    writer.close()
    await writer.wait_closed()
    return status.split()[1]


async def test_a_probe_is_answered_where_it_is_wanted() -> None:
    port = free_port()
    async with probed(Well(), f"127.0.0.1:{port}"):
        assert await asked(port, "/status/alive") == "200"
        assert await asked(port, "/status/connected") == "503"
    async with probed(Well(), None):
        with pytest.raises(ConnectionRefusedError):
            await asked(port, "/status/alive")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("8080", "must be HOST:PORT, not '8080'"),
        (":8080", "must be HOST:PORT"),
        ("localhost:http", "must be HOST:PORT"),
        ("192.0.2.1:8080", "cannot be answered"),
    ],
)
async def test_an_address_that_is_none_is_a_mistake(
    address: str, sentence: str
) -> None:
    with pytest.raises(MistakeError, match=sentence):
        async with probed(Well(), address):
            pass


async def test_a_worker_answers_probes(tmp_path: Path, url: str) -> None:
    (tmp_path / "host.py").write_text("from jobcore import Tasks\ntasks = Tasks()\n")
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jobcore", "worker", "host:tasks"),
        *("--probe", f"127.0.0.1:{port}", "--telemetry", "--store", url),
        cwd=tmp_path,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    assert process.stderr is not None
    try:
        while b" works on " not in (line := await process.stderr.readline()):
            assert line
        while await asked(port, "/status/connected") != "200":  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.01)
        process.terminate()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
