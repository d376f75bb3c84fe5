"""The least of a web server that serves a probe, for processes that have no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from jobcore.health.probe import Healthy, answer, headers_of

_PATIENCE: Final = 5.0
"""Seconds that a request may take to come in."""


@asynccontextmanager
async def serve(jobs: Healthy, host: str, port: int) -> AsyncIterator[int]:
    """Answer as `Probe` does on this address, for as long as the context is open, which
    is given the port: where 0 is asked for, some free one."""
    answering: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_answer(jobs, reader, writer), name="jobcore-probe")
        answering.add(task)
        task.add_done_callback(answering.discard)

    server = await asyncio.start_server(connected, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in answering:
            each.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
        await server.wait_closed()


async def _answer(
    jobs: Healthy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one request, and close the connection."""
    odd = (ValueError, EOFError, OSError, TimeoutError, asyncio.LimitOverrunError)
    try:
        with suppress(*odd):
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.partition(b"\r\n")[0].decode("ascii").split(" ")
            status, body = await answer(jobs, method, target.partition("?")[0])
            lines = [
                f"HTTP/1.1 {status.value} {status.phrase}",
                *(f"{name}: {value}" for name, value in headers_of(status, body)),
                "connection: close",
            ]
            body = b"" if method == "HEAD" else body
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            await writer.drain()
    finally:
        writer.close()
