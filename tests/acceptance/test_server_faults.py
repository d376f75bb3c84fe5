"""What a server and the way to it go through costs no job."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import pytest

from jobcore import (
    DefaultJobManager,
    Job,
    JobcoreConfig,
    JobStatus,
    StoreError,
    StoreUnavailableError,
    Tasks,
    Verifiable,
    Worker,
)
from jobcore.testing import a_claim, a_job, a_request, named
from jobcore_sql import SQLJobStore, SQLOptions
from tests.jobcore_sql import postgresql
from tests.postgres_server import PostgresServer
from tools.faults.postgres import PostgresWay
from tools.faults.proxy import Proxy
from tools.faults.talk import PostgresTalk

pytestmark = pytest.mark.anyio

CONFIG = JobcoreConfig(
    job_claim_timeout=timedelta(seconds=2),
    job_polling_interval=timedelta(milliseconds=100),
    stale_job_claim_check_interval=timedelta(milliseconds=200),
    retry_delay_base=timedelta(milliseconds=50),
    max_lost=100,
)
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'jobcore' AND datname = current_database()"
)
IDLE = (
    "SELECT pid FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    " AND datname = current_database()"
)


class Load:
    """A worker, and who submits to it, until all that was acknowledged is done."""

    def __init__(self, store: SQLJobStore, config: JobcoreConfig = CONFIG) -> None:
        self.runs: Counter[int] = Counter()
        self.submitted: list[Job[int]] = []
        self._store = store
        self._config = config

    async def meets(self, fault: Callable[[], Awaitable[None]], jobs: int) -> None:
        """Let *fault* come to pass meanwhile."""
        tasks = Tasks()

        @tasks.task()
        async def work(number: int) -> int:
            await asyncio.sleep(0.001)
            self.runs[number] += 1
            return number

        async with (
            DefaultJobManager(self._store, self._config) as manager,
            Worker(manager, tasks, concurrency=20),
        ):

            async def submit() -> None:
                for number in range(jobs):
                    self.submitted.append(await manager.submit(work.job(number)))

            submitting = asyncio.create_task(submit())
            await self.has_run(jobs // 10)
            await fault()
            await submitting
            for number, job in enumerate(self.submitted):
                assert await manager.result(job) == number
            statistics = await manager.statistics()
            assert statistics.count(JobStatus.COMPLETED) == jobs

    async def goes_on(self) -> None:
        """Return when it does, which must be soon."""
        async with asyncio.timeout(5):
            await self.has_run(len(self.runs) + 100)

    async def has_run(self, number: int) -> None:
        while len(self.runs) < number:  # noqa: ASYNC110 - handlers have nobody to tell
            await asyncio.sleep(0.005)


async def is_sound(store: SQLJobStore) -> bool:
    verifiable = store.ability(Verifiable)
    assert verifiable
    return (await verifiable.verify()).sound


@pytest.fixture
async def store() -> AsyncIterator[SQLJobStore]:
    async with postgresql.empty_store("18") as store:
        yield store


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A way to a store in which there is nothing."""
    async with (
        postgresql.empty_store("18"),
        Proxy(postgresql.port("18"), PostgresTalk()) as proxy,
    ):
        yield proxy


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A server that may be killed, as it is nobody else's."""
    # Not in pytest's folder, which the server's user must not enter.
    folder = Path(mkdtemp(prefix="jobcore-mortal-"))
    server = PostgresServer(folder, fsync="on", max_connections="20")
    server.start()
    yield server
    server.remove()


def way_to(server: PostgresServer) -> PostgresWay:
    return PostgresWay(server, Proxy(server.port, PostgresTalk()))


async def test_a_worker_goes_on_when_its_server_was_killed(
    mortal: PostgresServer,
) -> None:
    async def kill_and_start() -> None:
        mortal.kill()
        await asyncio.to_thread(mortal.start_again)
        await load.goes_on()

    async with SQLJobStore(way_to(mortal).url) as store:
        load = Load(store)
        await load.meets(kill_and_start, jobs=2000)
        assert await is_sound(store)


async def test_no_job_is_lost_where_connections_are_terminated(
    store: SQLJobStore,
) -> None:
    async def terminate() -> None:
        for _ in range(20):
            await postgresql.run("18", TERMINATE)
            await asyncio.sleep(0.02)

    load = Load(store)
    await load.meets(terminate, jobs=2000)
    assert await is_sound(store)


async def test_a_call_whose_connection_fell_silent_ends(proxy: Proxy) -> None:
    """And the pool is whole when others do not."""
    patience = timedelta(seconds=0.5)
    way = proxy.way_to(postgresql.url("18"))
    async with SQLJobStore(way, SQLOptions(call_timeout=patience)) as store:

        async def all_places(times: int) -> list[object]:
            calls = (store.statistics() for _ in range(store.options.pool_size * times))
            return await asyncio.gather(*calls, return_exceptions=True)

        assert not any(isinstance(each, StoreError) for each in await all_places(1))
        proxy.silent = True
        async with asyncio.timeout(5):
            silent = await all_places(1)
        assert all(isinstance(each, StoreUnavailableError) for each in silent)
        proxy.silent = False
        async with asyncio.timeout(5):
            after = await all_places(4)
        assert not any(isinstance(each, StoreError) for each in after)


async def test_a_worker_and_its_leases_outlast_half_open_connections(
    proxy: Proxy,
) -> None:
    async def fall_silent() -> None:
        proxy.silent = True
        await asyncio.sleep(1)
        proxy.silent = False
        await load.goes_on()

    patience = timedelta(seconds=0.5)
    config = CONFIG.model_copy(update={"job_claim_timeout": timedelta(seconds=30)})
    way = proxy.way_to(postgresql.url("18"))
    async with SQLJobStore(way, SQLOptions(call_timeout=patience)) as store:
        load = Load(store, config)
        await load.meets(fall_silent, jobs=500)
        assert set(load.runs.values()) == {1}
        assert await is_sound(store)


async def test_where_no_connection_is_free_calls_end_and_workers_wait(
    mortal: PostgresServer,
) -> None:
    way = way_to(mortal)

    async def exhaust() -> None:
        async with way.exhausted():
            with pytest.raises(StoreUnavailableError):
                await store.statistics()
            with pytest.raises(StoreUnavailableError):
                async with SQLJobStore(way.url):
                    pass
        await load.goes_on()

    async with SQLJobStore(way.url) as store:
        load = Load(store)
        await load.meets(exhaust, jobs=500)
        assert await is_sound(store)


async def test_a_cancelled_call_leaves_no_transaction_open(store: SQLJobStore) -> None:
    """And the pool is whole: as many calls as it has connections run at a time."""
    random = Random(7)
    claim = await a_claim(store)
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: store.insert([named(store, a_job())]),
        lambda: store.insert([named(store, a_job(unique_key="key"))]),
        lambda: store.claim(a_request()),
        lambda: store.renew([claim], timedelta(seconds=1)),
        lambda: store.promote(10),
        lambda: store.turn("duty", timedelta(0)),
        store.statistics,
    ]
    for number in range(1000):
        task = asyncio.ensure_future(acts[number % len(acts)]())
        await asyncio.sleep(random.uniform(0, 0.003))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await postgresql.rows("18", IDLE) == []
    at_once = (store.statistics() for _ in range(store.options.pool_size * 4))
    async with asyncio.timeout(5):
        await asyncio.gather(*at_once)
    assert await is_sound(store)
