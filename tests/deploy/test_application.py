"""What is deployed runs: the worker as its container does it, and the service."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import application
import httpx
import pytest
from starlette.types import Receive, Scope, Send

from jobcore import Instrumentation, JobStatus, open_manager
from tests.ports import free_port

pytestmark = pytest.mark.anyio

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/jobs.db"


@pytest.fixture
def ports() -> dict[str, str]:
    return {name: str(free_port()) for name in ("PROBE_PORT", "METRICS_PORT")}


@pytest.fixture
def worker(store: str, ports: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **ports, "JOBCORE_STORE_URL": store}
    worker = subprocess.Popen(
        [sys.executable, "-m", "application"], cwd=DEPLOY, env=environment
    )
    yield worker
    worker.kill()
    worker.wait()


async def answered(port: str, path: str) -> str:
    """What is answered as soon as it is well; the test's own time limit is the only
    one."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            try:
                answer = await client.get(path)
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 200:
                return answer.text


async def test_a_worker_is_probed_measured_and_stopped(
    worker: subprocess.Popen[bytes], store: str, ports: dict[str, str]
) -> None:
    for level in ("started", "alive", "connected"):
        await answered(ports["PROBE_PORT"], f"/status/{level}")
    async with open_manager(store) as jobs:
        job = await jobs.submit(application.count_words.job("to be or not to be"))
        assert await jobs.result(job) == 6
        assert (await jobs.get(job)).status is JobStatus.COMPLETED
    metrics = await answered(ports["METRICS_PORT"], "/metrics")
    assert 'jobcore_events_total{jobcore_event="succeeded"' in metrics
    worker.send_signal(signal.SIGTERM)
    assert worker.wait() == 0


async def test_the_service_submits_and_is_probed(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """httpx starts no lifespans, so we do."""
    monkeypatch.setenv("JOBCORE_STORE_URL", store)
    monkeypatch.setattr(application, "measured", Instrumentation)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await application.app(scope, receive, send)

    async with (
        application.service.lifespan(application.app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://web"
        ) as client,
    ):
        accepted = await client.post("/reports", content="to be or not to be")
        assert accepted.status_code == 202
        job = await application.service.jobs.get(accepted.json()["id"])
        assert job.queue == "reports"
        for level in ("started", "alive", "connected"):
            assert (await client.get(f"/status/{level}")).status_code == 200
        assert "python_info" in (await client.get("/metrics/")).text
