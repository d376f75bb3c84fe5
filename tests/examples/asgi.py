"""Clients of services on ASGI, in the event loop of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import httpx

Service: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]


def client_of(service: Service, **state: object) -> httpx.AsyncClient:
    """A client of *service*, which is given the *state* that its lifespan has made, as
    httpx starts none."""

    async def with_state(scope: Any, receive: Any, send: Any) -> None:
        await service({**scope, "state": dict(state)}, receive, send)

    transport = httpx.ASGITransport(with_state)
    return httpx.AsyncClient(transport=transport, base_url="http://service")


async def until_completed(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """What there is at *url* when its status is `completed`, asked for as a client
    would."""
    async with asyncio.timeout(10):
        while (told := (await client.get(url)).json())["status"] != "completed":  # noqa: ASYNC110 - as a client would
            await asyncio.sleep(0.01)
    answer: dict[str, Any] = told
    return answer
