from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import service

from jobcore import DefaultJobManager, Tasks
from tests.examples.asgi import client_of, until_completed

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running service."""
    monkeypatch.setenv("JOBCORE_STORE_URL", "memory://")
    async with (
        service.lifespan(service.app) as state,
        client_of(service.app, **state) as client,
    ):
        yield client


async def test_answers_at_once_and_has_the_result_later(
    client: httpx.AsyncClient,
) -> None:
    accepted = await client.post("/reports", json={"text": "to be or not to be"})

    assert accepted.status_code == 202
    url = accepted.json()["status_url"]
    assert accepted.headers["location"] == url
    assert await until_completed(client, url) == {
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


async def test_shows_no_other_jobs(jobcore_manager: DefaultJobManager) -> None:
    other = Tasks()

    @other.task()
    async def secret() -> None: ...

    job = await jobcore_manager.submit(secret.job())
    async with client_of(service.app, jobs=jobcore_manager) as client:
        assert (await client.get(f"/reports/{job.id}")).status_code == 404
