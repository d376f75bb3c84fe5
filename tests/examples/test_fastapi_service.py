"""The service with FastAPI: its routes without a worker, and all of it as it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi_service import app, count_words, job_manager, lifespan, tasks

from jobcore import DefaultJobManager, Tasks
from jobcore.testing import assert_submitted, failing, run_until_idle
from tests.examples.asgi import client_of, until_completed

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(
    jobcore_manager: DefaultJobManager,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the routes, whose manager is that of the test."""
    app.dependency_overrides[job_manager] = lambda: jobcore_manager
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()


async def test_a_report_is_accepted_and_made_later(
    client: httpx.AsyncClient, jobcore_manager: DefaultJobManager
) -> None:
    accepted = await client.post("/reports", json={"text": "to be or not to be"})

    assert accepted.status_code == 202
    assert accepted.json()["status"] == "queued"
    await assert_submitted(jobcore_manager, count_words, queue="reports")

    await run_until_idle(jobcore_manager, tasks)
    report = await client.get(accepted.headers["Location"])
    assert report.json() == {
        "id": accepted.json()["id"],
        "status": "completed",
        "result": {"be": 2, "not": 1, "or": 1, "to": 2},
        "error": None,
    }


async def test_a_report_that_fails_tells_why(
    client: httpx.AsyncClient, jobcore_manager: DefaultJobManager
) -> None:
    accepted = await client.post("/reports", json={"text": "to be"})
    full = failing(tasks, count_words, OSError("disk full"), times=9)
    await run_until_idle(jobcore_manager, full, retries=True, raise_errors=False)
    report = (await client.get(accepted.headers["Location"])).json()
    assert (report["status"], report["error"]) == ("failed", "disk full")


@pytest.mark.parametrize("body", [{}, {"text": 1}, {"text": "\0"}, []])
async def test_what_is_no_report_is_refused(
    client: httpx.AsyncClient, body: object
) -> None:
    refused = await client.post("/reports", json=body)
    assert refused.status_code == 422
    assert refused.json()["detail"]


async def test_other_jobs_are_not_shown(
    client: httpx.AsyncClient, jobcore_manager: DefaultJobManager
) -> None:
    other = Tasks()

    @other.task()
    async def secret() -> None: ...

    job = await jobcore_manager.submit(secret.job())
    for job_id in (job.id, "0"):
        missing = await client.get(f"/reports/{job_id}")
        assert missing.status_code == 404
        assert missing.json() == {"detail": f"there is no job {job_id}"}


async def test_the_service_has_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBCORE_STORE_URL", "memory://")
    async with lifespan(app) as state, client_of(app, **state) as client:
        accepted = await client.post("/reports", json={"text": "to be"})
        report = await until_completed(client, accepted.headers["Location"])
    assert report["result"] == {"be": 1, "to": 1}
