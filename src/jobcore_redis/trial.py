"""Trials: a store beside that of a URL, all of which is gone afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from jobcore_redis.options import RedisOptions
from jobcore_redis.server import Server


@asynccontextmanager
async def trial(url: str) -> AsyncIterator[str]:
    """The URL of such a store, which has a namespace of its own."""
    place = urlsplit(url)
    namespace = {"jobcore_namespace": f"trial_{uuid4().hex}"}
    query = urlencode({**dict(parse_qsl(place.query)), **namespace})
    own = place._replace(query=query).geturl()
    try:
        yield own
    finally:
        server = Server(own, RedisOptions())
        await server.open()
        try:
            await server.erase()
        finally:
            await server.close()
