from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import service
from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running service. httpx starts no lifespans, so we do."""
    monkeypatch.setenv("JOBCORE_STORE_URL", "memory://")
    async with service.lifespan(service.app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await service.app({**scope, "state": dict(state)}, receive, send)

        transport = httpx.ASGITransport(with_state)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service"
        ) as client:
            yield client


async def test_answers_at_once_and_has_the_result_later(
    client: httpx.AsyncClient,
) -> None:
    accepted = await client.post("/reports", json={"text": "to be or not to be"})

    assert accepted.status_code == 202
    url = accepted.json()["status_url"]
    assert accepted.headers["location"] == url
    async with asyncio.timeout(10):
        while (job := (await client.get(url)).json())["status"] != "completed":  # noqa: ASYNC110 - as a client would
            await asyncio.sleep(0.01)
    assert job == {
        "id": accepted.json()["id"],
        "status": "completed",
        "result": {"be": 2, "not": 1, "or": 1, "to": 2},
        "error": None,
    }


@pytest.mark.parametrize("body", [{}, {"text": 1}, {"text": "\0"}, []])
async def test_refuses_what_is_no_report(
    client: httpx.AsyncClient, body: object
) -> None:
    refused = await client.post("/reports", json=body)
    assert refused.status_code == 422
    assert refused.json()["error"]


async def test_knows_no_job_of_another_name(client: httpx.AsyncClient) -> None:
    missing = await client.get("/reports/0")
    assert missing.status_code == 404
    assert missing.json() == {"error": "there is no job 0"}
