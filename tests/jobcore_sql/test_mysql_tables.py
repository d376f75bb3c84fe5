"""The tables on MySQL: how they are made, and what is the same in them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from jobcore import DefaultJobManager, JobcoreConfig, JobRequest, Tasks
from jobcore.errors import SchemaVersionError, StoreError, StoreUnavailableError
from jobcore.job import Limit
from jobcore.query import Filter
from jobcore.testing import a_job, a_request, inserted, named
from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.migrations.builder import Builder
from jobcore_sql.naming import Naming
from jobcore_sql.tables import metadata
from tests.jobcore_sql import mysql
from tests.jobcore_sql.test_naming import check, live
from tests.pages import blocks

pytestmark = [pytest.mark.anyio, mysql.needed]

ALIKE = ["key", "KEY", "kéy", "key ", "key\t", "ĸey", "кey", "🔑"]
"""Names that some collation or other takes for the same."""


@pytest.fixture(params=mysql.WAYS)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[SQLJobStore]:
    async with mysql.empty_store(request.param) as store:
        yield store


@pytest.mark.parametrize("prefix", ["", "select_"])
async def test_the_migrations_make_the_tables_of_the_code(prefix: str) -> None:
    """As the server itself describes both."""
    async with (
        mysql.an_empty_database("migrated") as migrated,
        mysql.an_empty_database("straight") as straight,
    ):
        async with SQLJobStore(migrated, SQLOptions(prefix=prefix)):
            pass
        code = MetaData()
        for each in metadata.sorted_tables:
            Naming(prefix=prefix).add(each, code)
        engine = create_async_engine(make_url(straight).set(drivername="mysql+asyncmy"))
        async with engine.begin() as connection:
            await connection.run_sync(code.create_all)
        await engine.dispose()
        described = await mysql.described(straight)
        queued = "(`status`,`queue`,`priority`,`due_at`,`id`)"
        assert f"{prefix}jobs:   KEY `{prefix}jobs_queued` {queued}" in described
        assert await mysql.described(migrated) == described


async def test_a_migration_that_was_cut_short_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create_index = Builder.create_index

    def failing(builder: Builder, name: str, *columns: Any, **options: Any) -> None:
        if name == "jobs_held":
            raise ConnectionResetError
        create_index(builder, name, *columns, **options)

    async with (
        mysql.an_empty_database("cut") as cut,
        mysql.an_empty_database("whole") as whole,
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Builder, "create_index", failing)
            with pytest.raises(StoreUnavailableError):
                await SQLJobStore(cut).__aenter__()
        assert await mysql.described(cut)
        for url in (cut, whole):
            async with SQLJobStore(url) as store:
                await inserted(store, a_job())
        assert await mysql.described(cut) == await mysql.described(whole)


async def test_an_empty_database_is_refused_where_nothing_may_be_migrated() -> None:
    async with mysql.an_empty_database("empty") as url:
        store = SQLJobStore(url, SQLOptions(auto_migrate=False))
        with pytest.raises(SchemaVersionError):
            await store.__aenter__()
        assert await mysql.described(url) == []


@pytest.fixture
async def worker() -> AsyncIterator[str]:
    """A user of the server who may do nothing yet."""
    name = f"jobcore_{os.getpid()}"
    await mysql.run(f"CREATE USER {name}@'%'", database=None)
    yield name
    await mysql.run(f"DROP USER {name}@'%'", database=None)


async def test_a_worker_needs_to_read_and_write_rows_and_nothing_else(
    worker: str,
) -> None:
    async with mysql.an_empty_database("role") as url:
        there = make_url(url)
        rights = f"SELECT, INSERT, UPDATE, DELETE ON {there.database}.*"
        await mysql.run(f"GRANT {rights} TO {worker}@'%'", database=None)
        restricted = there.set(username=worker).render_as_string()
        with pytest.raises(SchemaVersionError):
            await SQLJobStore(restricted).__aenter__()
        async with SQLJobStore(url):
            pass
        async with SQLJobStore(restricted) as store:
            await live(store, "queue")
            await check(store, "queue")


async def test_stores_in_one_database_do_not_see_each_other() -> None:
    async with mysql.an_empty_database("prefixes") as url:
        names = [SQLOptions(), SQLOptions(prefix="a_")]
        async with SQLJobStore(url, names[0]) as one, SQLJobStore(url, names[1]) as two:
            for each in (one, two):
                await live(each, "queue")
            for each in (one, two):
                await check(each, "queue")


async def test_names_that_look_alike_are_different(store: SQLJobStore) -> None:
    for each in ALIKE:
        job = a_job(queue=each, task=each, unique_key=each, labels={each: each})
        await inserted(store, job)
    for each in ALIKE:
        page = await store.find(Filter(labels={each: each}), None, 10)
        assert [found.queue for found in page.jobs] == [each]
        (claim,) = (await store.claim(a_request(queues=(each,), limit=10))).claims
        assert (claim.job.task, claim.job.unique_key) == (each, each)
    assert len((await store.statistics()).queues) == len(ALIKE)
    assert (await store.verify()).sound


async def test_keys_of_one_task_that_look_alike_are_different(
    store: SQLJobStore,
) -> None:
    limit = Limit(concurrency=1)
    jobs = [a_job(unique_key=each, limit_key=each, limit=limit) for each in ALIKE]
    assert len(await inserted(store, *jobs)) == len(ALIKE)
    again = await store.insert([named(store, each) for each in jobs])
    assert not any(each.created for each in again)
    result = await store.claim(a_request(limit=10))
    assert len(result.claims) == len(ALIKE), "no limit is shared"


async def test_ids_are_ordered_by_their_code_points(store: SQLJobStore) -> None:
    ids = ["B", "a", "é", "Z ", "Z", "🔑", "_"]
    await store.insert([a_job(id=each) for each in ids])
    page = await store.find(Filter(), None, 10)
    assert [each.id for each in page.jobs] == sorted(ids, reverse=True)


@pytest.mark.parametrize("size", [70_000, 3_000_000])
async def test_what_is_long_is_kept_whole(store: SQLJobStore, size: int) -> None:
    """Longer than a BLOB, with every byte in it that would have to be quoted."""
    every = bytes(range(256)) * (size // 256 + 1)
    for payloads in ([every[:size]], [every[:size], every[1:size]]):
        new = [a_job(payload=each, extra=b"\\'%s\0") for each in payloads]
        ids = [each.id for each in await inserted(store, *new)]
        found = await store.get(ids)
        assert [each and each.payload for each in found] == payloads
        assert {each and each.extra for each in found} == {b"\\'%s\0"}


async def test_a_statement_that_is_too_long_for_the_server_is_no_outage(
    store: SQLJobStore,
) -> None:
    ((longest,),) = await mysql.run("SELECT @@max_allowed_packet")
    new = named(store, a_job(payload=bytes(longest // 2)))
    with pytest.raises(StoreError, match="1153") as caught:
        await store.insert([new])
    assert not isinstance(caught.value, StoreUnavailableError)
    assert not (await store.statistics()).queues


async def test_a_batch_that_is_too_long_for_the_server_is_split(
    store: SQLJobStore,
) -> None:
    config = JobcoreConfig(max_payload_size=1_000_000)
    tasks = Tasks()

    @tasks.task()
    async def keep(text: str) -> None:
        """Never run."""

    async with DefaultJobManager(store, config) as jobs:
        texts = [chr(ord("a") + n) * 900_000 for n in range(20)]
        submitting = (jobs.submit(keep.job(text)) for text in texts)
        kept = await asyncio.gather(*submitting)
        assert [(await jobs.get(each)).arguments for each in kept] == [
            {"text": text} for text in texts
        ]


async def test_a_name_that_is_too_long_is_refused_and_not_cut() -> None:
    async with mysql.empty_store() as store:
        with pytest.raises(StoreError, match="1406"):
            await store.insert([named(store, a_job(queue="q" * 301))])
        assert not (await store.statistics()).queues


async def test_the_statement_of_the_page_finds_what_it_says(store: SQLJobStore) -> None:
    page = Path(__file__).parents[2] / "docs" / "mysql.md"
    (statement,) = (each.code for each in blocks(page) if each.language == "sql")
    async with DefaultJobManager(store) as jobs:
        request = JobRequest("send", options={"queue": "mail", "max_retries": 0})
        job = await jobs.submit(request)
        (claim,) = (await jobs.claim("worker", ["mail"], 1)).claims
        await jobs.fail(claim, ValueError())
    ((found, status, due_at),) = await mysql.run(statement)
    assert (found, status) == (job.id, "failed")
    assert abs(due_at.replace(tzinfo=UTC) - job.due_at) < timedelta(days=1)
