"""A proxy before a server: the way to it, on which connections break.

It knows where a request of the client's ends, and where the answer of the server does.
So it can cut at exactly two moments: when the server has not got a request yet, and
when the server is done with it and the client does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Final, Self

from sqlalchemy import make_url

from tools.faults.talk import BROKEN, Talk

HOST: Final = "127.0.0.1"

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
    """Passes on what is said on its *port* and by the server on port *target*, in the
    language of *talk*.

    While it is *silent*, all that is sent either way is lost. A connection that has
    lost something stays silent ever after, and neither side hears of the other's end:
    as where something on the way has forgotten it.
    """

    def __init__(self, target: int, talk: Talk) -> None:
        self.port: int = 0
        self.silent: bool = False
        self.has_lost: asyncio.Event = asyncio.Event()
        self.cut: Cut | None = None
        self.talk = talk
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
            with suppress(*BROKEN):
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
        talk = self._proxy.talk
        first = await talk.greeting(self._hears, partial(self._pass, self._tells))
        await self._pass(self._asks, first)

    async def _pass_requests(self) -> None:
        held = b""
        async for part in self._proxy.talk.requests(self._hears):
            held += part.text
            if part.is_last and (cut := self._proxy.cut) and cut.is_due():
                self._cut = cut
                if cut.moment is Moment.BEFORE:
                    self._asks.write_eof()
                    return
            if part.is_sent:
                await self._pass(self._asks, held)
                held = b""

    async def _pass_answers(self) -> None:
        async for part in self._proxy.talk.answers(self._answers):
            if self._cut is None:
                await self._pass(self._tells, part.text)
            elif part.is_last:
                self._asks.write_eof()

    async def _pass(self, writer: asyncio.StreamWriter, message: bytes) -> None:
        if self._proxy.silent:
            self._has_lost = True
            self._proxy.has_lost.set()
        if not self._has_lost:
            writer.write(message)
            await writer.drain()
