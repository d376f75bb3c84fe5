"""A proxy before a PostgreSQL server: the way to it, on which connections break.

Of the protocol it reads where a request of the client's ends, and where the answer of
the server does. So it can cut at exactly two moments: when the server has not got a
request yet, and when the server is done with it and the client does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from sqlalchemy import make_url

HOST: Final = "127.0.0.1"
_ENCRYPTION: Final = {80877103, 80877104}
"""Asked for before anything else, by TLS or GSSAPI."""
_REFUSED: Final = b"N"
_FLUSH: Final = b"H"
_TERMINATE: Final = b"X"
_REQUESTS: Final = {b"Q", b"S"}
"""The last message of each: a query, or Sync. It is answered by that one:"""
_READY: Final = b"Z"
_BROKEN: Final = (asyncio.IncompleteReadError, OSError)

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Moment(StrEnum):
    """When a connection is cut, as the server sees its request."""

    BEFORE = "before"
    AFTER = "after"


@dataclass
class Cut:
    """Cuts the connection at one request, the first that comes when *skipped* others
    have come, on whatever connection. *then* is awaited when the server has let go of
    the connection, before the client is told."""

    skipped: int
    moment: Moment
    then: Callable[[], Awaitable[None]]
    is_made: bool = False
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    def is_due(self) -> bool:
        """Whether the request that has just come is the one."""
        if self.is_made:
            return False
        self.skipped -= 1
        self.is_made = self.skipped < 0
        return self.is_made


class Proxy:
    """Passes on what is said on its *port* and by the server on port *target*.

    While it is *silent*, all that is sent either way is lost. A connection that has
    lost something stays silent ever after, and neither side hears of the other's end:
    as where something on the way has forgotten it.
    """

    def __init__(self, target: int) -> None:
        self.port: int = 0
        self.silent: bool = False
        self.has_lost: asyncio.Event = asyncio.Event()
        self.cut: Cut | None = None
        self._target = target
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for each in self._serving:
            each.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def way_to(self, url: str) -> str:
        """The *url* of the server, by way of this."""
        way = make_url(url).set(host=HOST, port=self.port)
        return way.render_as_string(hide_password=False)

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(self._serve((reader, writer)))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, client: Stream) -> None:
        try:
            with suppress(*_BROKEN):
                server = await asyncio.open_connection(HOST, self._target)
                try:
                    await _Connection(self, client, server).run()
                finally:
                    server[1].transport.abort()
        finally:
            client[1].transport.abort()


class _Connection:
    """One connection of a client, and its own to the server."""

    def __init__(self, proxy: Proxy, client: Stream, server: Stream) -> None:
        self._proxy = proxy
        self._hears, self._tells = client
        self._answers, self._asks = server
        self._has_lost = False
        self._cut: Cut | None = None

    async def run(self) -> None:
        await self._greet()
        asking = asyncio.create_task(self._pass_requests())
        answering = asyncio.create_task(self._pass_answers())
        both = {asking, answering}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self._cut is not None:
                await answering  # which ends when the server has left, too
                await self._cut.then()
                self._cut.is_over.set()
            elif self._has_lost or self._proxy.silent:
                await asyncio.Event().wait()
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _greet(self) -> None:
        """Pass on the first message, which has no type; without encryption."""
        while True:
            length = await self._hears.readexactly(4)
            rest = await self._hears.readexactly(int.from_bytes(length) - 4)
            if int.from_bytes(rest[:4]) not in _ENCRYPTION:
                break
            await self._pass(self._tells, _REFUSED)
        await self._pass(self._asks, length + rest)

    async def _pass_requests(self) -> None:
        held = b""
        async for kind, message in _messages(self._hears):
            held += message
            if kind in _REQUESTS and (cut := self._proxy.cut) and cut.is_due():
                self._cut = cut
                if cut.moment is Moment.BEFORE:
                    self._asks.write_eof()
                    return
            if kind in {*_REQUESTS, _FLUSH, _TERMINATE}:
                await self._pass(self._asks, held)
                held = b""

    async def _pass_answers(self) -> None:
        async for kind, message in _messages(self._answers):
            if self._cut is None:
                await self._pass(self._tells, message)
            elif kind == _READY:
                self._asks.write_eof()

    async def _pass(self, writer: asyncio.StreamWriter, message: bytes) -> None:
        if self._proxy.silent:
            self._has_lost = True
            self._proxy.has_lost.set()
        if not self._has_lost:
            writer.write(message)
            await writer.drain()


async def _messages(
    reader: asyncio.StreamReader,
) -> AsyncIterator[tuple[bytes, bytes]]:
    """Each message that has a type, and its type, until the connection ends."""
    with suppress(*_BROKEN):
        while True:
            head = await reader.readexactly(5)
            rest = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            yield head[:1], head + rest
