"""Opening, closing, and who may use an open store."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from jobcore.errors import StoreError, StoreNotOpenError, StoreUnavailableError
from jobcore.testing import a_job, named
from jobcore_sql import SQLJobStore, SQLOptions

pytestmark = pytest.mark.anyio


def threads() -> set[str]:
    return {
        each.name
        for each in threading.enumerate()
        if each.name.startswith("jobcore-sql")
    }


async def test_a_store_is_refused_before_it_is_opened(url: str) -> None:
    with pytest.raises(StoreNotOpenError, match="not open"):
        await SQLJobStore(url).statistics()


async def test_a_store_is_refused_after_it_was_closed(url: str) -> None:
    async with SQLJobStore(url) as store:
        pass
    with pytest.raises(StoreNotOpenError, match="closed"):
        await store.statistics()


async def test_closing_twice_is_closing_once(url: str) -> None:
    async with SQLJobStore(url) as store:
        await store.__aexit__(None, None, None)
    await store.__aexit__(None, None, None)


async def test_a_closed_store_opens_again(url: str) -> None:
    store = SQLJobStore(url)
    async with store:
        await store.insert([named(store, a_job())])
    async with store:
        assert (await store.statistics()).queues


async def test_an_open_store_is_not_opened_twice(store: SQLJobStore) -> None:
    with pytest.raises(StoreNotOpenError, match="open already"):
        await store.__aenter__()
    await store.statistics()


def test_a_store_is_refused_in_another_event_loop(url: str) -> None:
    store = SQLJobStore(url)
    asyncio.run(store.__aenter__())
    with pytest.raises(StoreNotOpenError, match="event loop"):
        asyncio.run(store.insert([named(store, a_job())]))
    asyncio.run(store.__aexit__(None, None, None))
    assert not threads()


async def test_a_store_is_refused_in_another_process(
    store: SQLJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(StoreNotOpenError, match="process"):
            await store.statistics()
    await store.statistics()


async def test_closing_waits_for_what_runs(url: str) -> None:
    store = SQLJobStore(url)
    async with store:
        job = named(store, a_job())
        pending = asyncio.create_task(store.insert([job]))
        await asyncio.sleep(0)
    (inserted,) = await pending
    assert inserted.created
    assert not threads()


async def test_closing_leaves_no_thread_and_no_file_open(url: str, path: Path) -> None:
    async with SQLJobStore(url) as store:
        await store.insert([named(store, a_job())])
        await store.statistics()
        assert threads() == {"jobcore-sql-writer", "jobcore-sql-reader"}
    gc.collect()
    assert not threads()
    assert [each.name for each in path.parent.iterdir()] == [path.name], "WAL is gone"


async def test_what_cannot_be_opened_is_unavailable_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    store = SQLJobStore(f"sqlite:///{tmp_path / 'missing' / 'jobs.db'}")
    with pytest.raises(StoreUnavailableError, match="unable to open"):
        await store.__aenter__()
    assert not threads()


@pytest.fixture
def letter(path: Path) -> Path:
    path.write_text("This is a letter, not a database." * 100)
    return path


async def test_a_file_that_is_no_database_is_an_error(letter: Path) -> None:
    store = SQLJobStore(f"sqlite:///{letter}")
    with pytest.raises(StoreError, match="not a database") as caught:
        await store.__aenter__()
    assert not isinstance(caught.value, StoreUnavailableError)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite+aiosqlite://",
        "sqlite:///:memory:",
        "sqlite:///x?mode=memory",
    ],
)
def test_sqlite_in_memory_is_refused_in_favour_of_memory(url: str) -> None:
    with pytest.raises(StoreError, match="memory://"):
        SQLJobStore(url)


def test_a_database_without_a_dialect_is_refused_by_name() -> None:
    with pytest.raises(StoreError, match="oracle"):
        SQLJobStore("oracle://localhost/x")


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(StoreError, match="URL"):
        SQLJobStore("jobs.db")


async def test_a_lock_that_stays_is_unavailable_and_passes(
    url: str, path: Path
) -> None:
    options = SQLOptions(busy_timeout=timedelta(milliseconds=20))
    async with SQLJobStore(url, options) as store:
        job = named(store, a_job())
        other = sqlite3.connect(path)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked"):
            await store.insert([job])
        other.close()
        (inserted,) = await store.insert([job])
        assert inserted.created


async def test_a_write_waits_for_another_writer_though_it_reads_first(
    store: SQLJobStore, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO pauses (kind, name) VALUES ('queue', 'any')")
    inserting = asyncio.create_task(store.insert([named(store, a_job())]))
    await asyncio.sleep(0.1)  # it waits for the lock by now, and tells nobody
    other.execute("COMMIT")
    other.close()
    (inserted,) = await inserting
    assert inserted.created


async def test_a_refused_write_changes_nothing_and_ends_its_transaction(
    store: SQLJobStore,
) -> None:
    good, bad = named(store, a_job()), named(store, a_job(priority=99_999))
    with pytest.raises(StoreError, match="jobs_priority"):
        await store.insert([good, bad])
    assert await store.get([good.id]) == [None]
    assert not (await store.statistics()).queues
    (inserted,) = await store.insert([good])
    assert inserted.created


async def test_errors_show_no_values(store: SQLJobStore) -> None:
    secret = named(store, a_job(payload=b'"secret"', priority=99_999))
    with pytest.raises(StoreError) as caught:
        await store.insert([secret])
    assert "secret" not in f"{caught.value}{caught.value.__cause__}"


async def test_a_cancelled_caller_abandons_the_wait_and_not_the_transaction(
    store: SQLJobStore, path: Path
) -> None:
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    job = named(store, a_job())
    waiting = asyncio.create_task(store.insert([job]))
    await store.statistics()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    other.close()
    assert await store.insert([job])
    assert (await store.verify()).sound
