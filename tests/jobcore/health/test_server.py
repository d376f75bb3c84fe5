"""A process without a web server is probed, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from httpx import AsyncClient

from jobcore import Health
from jobcore.health import serve
from tests.jobcore.health.test_probe import Patient

pytestmark = pytest.mark.anyio


@pytest.fixture
def patient() -> Patient:
    return Patient()


@pytest.fixture
async def port(patient: Patient) -> AsyncIterator[int]:
    async with serve(patient, "127.0.0.1", 0) as port:
        yield port


async def sent(port: int, request: bytes) -> bytes:
    """All that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_it_answers_as_the_probe_does(patient: Patient, port: int) -> None:
    async with AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        well = await client.get("/status/connected")
        assert (well.status_code, well.json()) == (200, patient.levels)
        patient.levels["connected"] = False
        assert (await client.get("/status/connected?x=1")).status_code == 503
        assert (await client.get("/status/alive")).status_code == 200
        assert (await client.get("/other")).status_code == 404
        assert (await client.post("/status/alive")).status_code == 405
        head = await client.head("/status/alive")
        assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "request_", [b"nonsense\r\n\r\n", b"G\xffT / HTTP/1.1\r\n\r\n", b"x" * 100_000]
)
async def test_nonsense_is_not_answered(port: int, request_: bytes) -> None:
    with suppress(ConnectionResetError):
        assert await sent(port, request_) == b""
    answer = await sent(port, b"GET /status/alive HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_who_sends_nothing_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobcore.health.server._PATIENCE", 0.01)
    assert await sent(port, b"GET /status") == b""


async def test_it_ends_in_the_middle_of_an_answer() -> None:
    asked = asyncio.Event()

    class Slow:
        async def health(self) -> Health:
            asked.set()
            return await asyncio.Future()

    async with serve(Slow(), "127.0.0.1", 0) as port:
        answer = asyncio.create_task(sent(port, b"GET /alive HTTP/1.1\r\n\r\n"))
        await asked.wait()
    assert await answer == b""
    with pytest.raises(ConnectionRefusedError):
        await sent(port, b"")
