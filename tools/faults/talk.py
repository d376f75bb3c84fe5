"""How clients and servers talk, as far as a proxy between them has to know it: where a
request ends, and where an answer does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

BROKEN: Final = (asyncio.IncompleteReadError, OSError)

_ENCRYPTION: Final = {80877103, 80877104}
"""Asked for before anything else, by TLS or GSSAPI."""
_REFUSED: Final = b"N"
_FLUSH: Final = b"H"
_TERMINATE: Final = b"X"
_REQUESTS: Final = {b"Q", b"S"}
"""The last message of each: a query, or Sync. It is answered by that one:"""
_READY: Final = b"Z"


class Part(NamedTuple):
    """Some of what one side says."""

    text: bytes
    is_last: bool
    """Whether a request, or an answer, ends with it."""
    is_sent: bool = True
    """Whether it goes on its way at once, and not with what follows."""


class Talk(Protocol):
    """The language of a kind of server."""

    async def greeting(
        self, client: asyncio.StreamReader, tell: Callable[[bytes], Awaitable[None]]
    ) -> bytes:
        """What the client says before its first request; *tell* it what it must know
        before it does."""
        ...

    def requests(self, client: asyncio.StreamReader) -> AsyncIterator[Part]:
        """What the client says then, until the connection ends."""
        ...

    def answers(self, server: asyncio.StreamReader) -> AsyncIterator[Part]:
        """What the server says, until the connection ends."""
        ...


class PostgresTalk:
    """Messages that have a type, but for the first one; without encryption."""

    async def greeting(
        self, client: asyncio.StreamReader, tell: Callable[[bytes], Awaitable[None]]
    ) -> bytes:
        while True:
            length = await client.readexactly(4)
            rest = await client.readexactly(int.from_bytes(length) - 4)
            if int.from_bytes(rest[:4]) not in _ENCRYPTION:
                return length + rest
            await tell(_REFUSED)

    async def requests(self, client: asyncio.StreamReader) -> AsyncIterator[Part]:
        async for kind, message in self._messages(client):
            is_last = kind in _REQUESTS
            yield Part(message, is_last, is_last or kind in {_FLUSH, _TERMINATE})

    async def answers(self, server: asyncio.StreamReader) -> AsyncIterator[Part]:
        async for kind, message in self._messages(server):
            yield Part(message, kind == _READY)

    async def _messages(
        self, reader: asyncio.StreamReader
    ) -> AsyncIterator[tuple[bytes, bytes]]:
        with suppress(*BROKEN):
            while True:
                head = await reader.readexactly(5)
                rest = await reader.readexactly(int.from_bytes(head[1:]) - 4)
                yield head[:1], head + rest


class RedisTalk:
    """Values, of which each is a request or an answer, in the second version."""

    async def greeting(self, *_: object) -> bytes:
        return b""

    async def requests(self, client: asyncio.StreamReader) -> AsyncIterator[Part]:
        with suppress(*BROKEN):
            while True:
                yield Part(await _value(client), is_last=True)

    answers = requests


async def _value(reader: asyncio.StreamReader) -> bytes:
    line = await reader.readuntil(b"\r\n")
    number = int(line[1:]) if line[:1] in {b"$", b"*"} else 0
    if line.startswith(b"$") and number >= 0:
        return line + await reader.readexactly(number + 2)
    return line + b"".join([await _value(reader) for _ in range(number)])
