"""A probe: an ASGI application that says how a process is."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final, Protocol

from jobcore.health.health import Health

Message = MutableMapping[str, Any]

_ASKED_BY: Final = ("GET", "HEAD")


class Healthy(Protocol):
    """Whoever can be asked how it is: a manager."""

    async def health(self) -> Health: ...


class Probe:
    """Answers `/status/alive`, `/status/started` and `/status/connected` with 200 where
    that holds, else with 503, and with all three as JSON.

    It is an ASGI application: mounted into one of any framework, or served alone. Only
    the last part of a path counts, so that it may be mounted anywhere.
    """

    def __init__(self, jobs: Healthy) -> None:
        self._jobs = jobs

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        del receive
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        status, body = await answer(self._jobs, scope["method"], scope["path"])
        headers = [
            (name.encode(), value.encode()) for name, value in headers_of(status, body)
        ]
        start = {"type": "http.response.start", "status": status, "headers": headers}
        await send(start)
        body = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": body})


async def answer(jobs: Healthy, method: str, path: str) -> tuple[HTTPStatus, bytes]:
    """What is said to a request: the status, and a body of JSON."""
    level = path.rstrip("/").rpartition("/")[2]
    if level not in Health.__dataclass_fields__:
        return HTTPStatus.NOT_FOUND, b"{}"
    if method not in _ASKED_BY:
        return HTTPStatus.METHOD_NOT_ALLOWED, b"{}"
    levels = asdict(await jobs.health())
    status = HTTPStatus.OK if levels[level] else HTTPStatus.SERVICE_UNAVAILABLE
    return status, json.dumps(levels).encode()


def headers_of(status: HTTPStatus, body: bytes) -> list[tuple[str, str]]:
    """What is to be known of a body."""
    headers = [
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
    ]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("allow", ", ".join(_ASKED_BY)))
    return headers
