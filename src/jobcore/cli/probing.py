"""Answering probes beside a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from jobcore.cli.mistakes import MistakeError
from jobcore.health import Healthy, serve


@asynccontextmanager
async def probed(jobs: Healthy, address: str | None) -> AsyncIterator[None]:
    """Answer probes at *address*, `host:port`, until the body is left; nowhere for
    None. MistakeError where that cannot be done."""
    async with AsyncExitStack() as stack:
        if address is not None:
            host, port = _parts(address)
            try:
                await stack.enter_async_context(serve(jobs, host, port))
            except OSError as error:
                raise MistakeError("--probe", f"cannot be answered: {error}") from error
        yield


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        raise MistakeError("--probe", f"must be HOST:PORT, not {address!r}")
    return host.strip("[]"), int(port)
