"""A process whose database is down lives, is not connected, and recovers by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from jobcore import DefaultJobManager, JobcoreConfig, Tasks, Worker, open_manager
from jobcore.health import Probe
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio

QUICK = JobcoreConfig(
    job_claim_timeout=timedelta(seconds=0.6),
    job_polling_interval=timedelta(milliseconds=50),
    store_retry_timeout=timedelta(milliseconds=100),
)
UP = {"alive": 200, "started": 200, "connected": 200}
DOWN = {"alive": 200, "started": 200, "connected": 503}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def jobs(server: RedisServer) -> AsyncIterator[DefaultJobManager]:
    async with open_manager(server.url, QUICK) as jobs:
        yield jobs


async def until(jobs: DefaultJobManager, statuses: dict[str, int]) -> None:
    """Return when a probe answers so; the test's own time limit is the only one."""
    transport = ASGITransport(Probe(jobs))
    async with AsyncClient(transport=transport, base_url="http://host") as client:
        while True:
            told = {
                level: (await client.get(f"/status/{level}")).status_code
                for level in statuses
            }
            if told == statuses:
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("works", [True, False], ids=["worker", "no worker"])
async def test_a_database_that_is_down_costs_the_connection_and_nothing_else(
    server: RedisServer, jobs: DefaultJobManager, *, works: bool
) -> None:
    async with AsyncExitStack() as stack:
        if works:
            worker = Worker(jobs, Tasks(), queues=["any"])
            await stack.enter_async_context(worker)
        await until(jobs, UP)
        server.stop()
        await until(jobs, DOWN)
        server.start()
        await until(jobs, UP)
