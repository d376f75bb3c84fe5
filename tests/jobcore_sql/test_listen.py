"""Waking by notifications, and what becomes of them when connections break."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from jobcore.lifecycle import cancel
from jobcore.testing import a_claim, a_job, a_token, inserted, named
from jobcore_sql import SQLJobStore, SQLOptions, listen
from jobcore_sql.dialects.postgresql import PostgreSQLDialect
from tests.jobcore_sql import postgresql
from tools.faults.proxy import Proxy
from tools.faults.talk import PostgresTalk

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def store(server: str) -> AsyncIterator[SQLJobStore]:
    async with postgresql.empty_store(server) as store:
        yield store


@pytest.fixture
async def other(server: str, store: SQLJobStore) -> AsyncIterator[SQLJobStore]:
    async with SQLJobStore(postgresql.url(server)) as other:
        await hears(store)
        yield other


async def hears(store: SQLJobStore) -> None:
    """Return when *store* listens."""
    await store._database.waker._heard_itself.wait()  # type: ignore[attr-defined]  # a listener's


async def test_wait_is_woken_by_another_process(
    store: SQLJobStore, other: SQLJobStore
) -> None:
    waiting = asyncio.create_task(store.wait(("default",), "worker", HOUR))
    await asyncio.sleep(0)
    await inserted(other, a_job())
    await asyncio.wait_for(waiting, timeout=10)


@pytest.mark.parametrize("labels", [{}, {"to": "Ada"}])
async def test_wait_is_woken_by_a_process_that_submits_and_leaves(
    server: str, store: SQLJobStore, labels: dict[str, str]
) -> None:
    """Many times in a row, as what is told just after something else is told later."""
    await hears(store)
    for _ in range(3):
        waiting = asyncio.create_task(store.wait(("default",), "worker", HOUR))
        await asyncio.sleep(0)
        async with SQLJobStore(postgresql.url(server)) as other:
            await inserted(other, a_job(), a_job(labels=labels))
        await asyncio.wait_for(waiting, timeout=10)


async def test_wait_is_woken_by_a_new_job_beside_one_whose_key_is_held(
    store: SQLJobStore, other: SQLJobStore
) -> None:
    await inserted(store, a_job(unique_key="key"))
    waker = other._database.waker
    assert isinstance(waker, listen.Listener)
    waiting = asyncio.create_task(store.wait(("new",), "worker", HOUR))
    await asyncio.sleep(0)
    held, new = a_job(unique_key="key"), a_job(queue="new", unique_key="new")
    assert waker._rest() < 0, "the insert may tell"
    await other.insert([named(other, held), named(other, new)])
    await asyncio.wait_for(waiting, timeout=10)


async def test_a_store_that_was_closed_at_once_tells_when_it_is_open_again(
    server: str, store: SQLJobStore
) -> None:
    await hears(store)
    again = SQLJobStore(postgresql.url(server))
    for _ in range(2):
        waiting = asyncio.create_task(store.wait(("default",), "worker", HOUR))
        await asyncio.sleep(0)
        async with again:
            await inserted(again, a_job(labels={"to": "Ada"}))
        await asyncio.wait_for(waiting, timeout=10)


async def test_news_within_a_moment_are_told_together(
    store: SQLJobStore, other: SQLJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    waker = store._database.waker
    assert isinstance(waker, listen.Listener)
    told: list[object] = []
    monkeypatch.setattr(waker._bell, "ring", told.append)
    for _ in range(50):
        await inserted(other, a_job())
    await other.__aexit__(None, None, None)
    await store.statistics()
    assert 1 <= len(told) <= 45


async def test_wait_is_woken_by_its_own_process(store: SQLJobStore) -> None:
    waiting = asyncio.create_task(store.wait(("default",), "worker", HOUR))
    await asyncio.sleep(0)
    await inserted(store, a_job())
    await asyncio.wait_for(waiting, timeout=10)


async def test_wait_hears_of_a_request_to_cancel(
    store: SQLJobStore, other: SQLJobStore
) -> None:
    claim = await a_claim(store)
    waiting = asyncio.create_task(store.wait((), claim.job.worker or "", HOUR))
    await asyncio.sleep(0)
    await other.apply([cancel(claim.job, a_token())])
    await asyncio.wait_for(waiting, timeout=10)


async def test_wait_sleeps_through_what_is_put_into_other_queues(
    store: SQLJobStore, other: SQLJobStore
) -> None:
    waiting = asyncio.create_task(store.wait(("default",), "worker", HOUR))
    elsewhere = asyncio.create_task(store.wait(("else",), "worker", HOUR))
    await asyncio.sleep(0)
    await inserted(other, a_job(queue="else"))
    await asyncio.wait_for(elsewhere, timeout=10)
    assert not waiting.done()
    waiting.cancel()


async def test_a_listener_that_was_cut_off_listens_again_and_rings(
    server: str,
    store: SQLJobStore,
    other: SQLJobStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listen, "_AGAIN", 0.01)
    waiting = asyncio.create_task(store.wait(("default",), "worker", HOUR))
    await asyncio.sleep(0)
    await postgresql.run(server, LISTENERS)
    await asyncio.wait_for(waiting, timeout=10)
    await hears(store)
    again = asyncio.create_task(store.wait(("default",), "worker", HOUR))
    await asyncio.sleep(0)
    await inserted(other, a_job())
    await asyncio.wait_for(again, timeout=10)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listeners that check often, and try again at once, whatever they have met."""
    monkeypatch.setattr(listen, "_CHECK", 0.1)
    monkeypatch.setattr(listen, "_PATIENCE", 0.5)
    monkeypatch.setattr(listen, "_AGAIN", 0.01)
    monkeypatch.setattr(listen, "_MUCH_LATER", 0.01)


@pytest.mark.usefixtures("hasty")
async def test_a_listener_whose_connection_fell_silent_listens_again(
    server: str, other: SQLJobStore
) -> None:
    in_time = timedelta(seconds=2)
    async with (
        Proxy(postgresql.port(server), PostgresTalk()) as proxy,
        SQLJobStore(
            proxy.way_to(postgresql.url(server)), SQLOptions(call_timeout=in_time)
        ) as store,
    ):
        await hears(store)
        store._database.waker._heard_itself.clear()  # type: ignore[attr-defined]  # a listener's
        async with asyncio.timeout(10):
            await hears(store)  # as it makes sure of that again and again
        proxy.silent = True
        await inserted(other, a_job())
        await asyncio.wait_for(proxy.has_lost.wait(), timeout=5)
        proxy.silent = False
        waiting = asyncio.create_task(store.wait(("default",), "worker", HOUR))
        await asyncio.wait_for(waiting, timeout=5)


@pytest.mark.usefixtures("hasty", "store")
async def test_a_listener_that_gets_no_answer_when_it_connects_tries_again(
    server: str, caplog: pytest.LogCaptureFixture
) -> None:
    options = SQLOptions(call_timeout=timedelta(seconds=1))
    async with (
        Proxy(postgresql.port(server), PostgresTalk()) as proxy,
        SQLJobStore(proxy.way_to(postgresql.url(server)), options) as silenced,
    ):
        await hears(silenced)
        proxy.silent = True
        with caplog.at_level(logging.WARNING):
            while "no answer within" not in caplog.text:  # noqa: ASYNC110 - nothing else tells of it
                await asyncio.sleep(0.01)
        proxy.silent = False
        await silenced.wait(("default",), "worker", HOUR)


async def test_a_listener_that_hears_nothing_says_so(
    server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nobody(*_: object) -> None:
        return None

    monkeypatch.setattr(listen, "_PATIENCE", 0.01)
    monkeypatch.setattr(PostgreSQLDialect, "tell", nobody)
    with caplog.at_level(logging.WARNING):
        async with postgresql.empty_store(server):
            while not caplog.records:  # noqa: ASYNC110 - nothing else tells of it
                await asyncio.sleep(0.01)
    assert "woken by polling only" in caplog.text
