"""What is wrong with tables and servers is found, and nothing else."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from jobcore import Finding
from jobcore_sql import SQLJobStore, SQLOptions, listen
from jobcore_sql import examine as examining
from jobcore_sql.dialects.postgresql import PostgreSQLDialect
from jobcore_sql.faults import FAULTS, MAY_BE_DAMAGED
from tests.jobcore_sql import mysql, postgresql

pytestmark = pytest.mark.anyio

Run = Callable[[str], Awaitable[object]]
KINDS = ("sqlite", "postgresql", pytest.param("mysql", marks=mysql.needed))


@dataclass(frozen=True, slots=True)
class Place:
    """A new database, and a way to do something to it by hand."""

    kind: str
    url: str
    run: Run


@pytest.fixture(params=KINDS)
async def place(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[Place]:
    if request.param == "sqlite":

        async def run_here(statement: str) -> None:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute(statement)

        yield Place("sqlite", f"sqlite+aiosqlite:///{path}", run_here)
    elif request.param == "postgresql":
        async with postgresql.another_database("18") as url:
            yield Place("postgresql", url, lambda each: run_on(url, each))
    else:
        async with mysql.an_empty_database("examined") as url:
            name = make_url(url).database
            yield Place("mysql", url, lambda each: mysql.run(each, database=name))


async def run_on(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def examined(store: SQLJobStore) -> list[Finding]:
    """What is found, but for that our own servers flush nothing to their disks."""
    return [each for each in await store.examine() if each.fault != MAY_BE_DAMAGED]


def told(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(each.code, each.sentence) for each in findings]


async def test_new_tables_are_whole(place: Place) -> None:
    async with SQLJobStore(place.url) as store:
        assert told(await examined(store)) == []


async def test_tables_with_names_of_their_own_are_whole(place: Place) -> None:
    async with SQLJobStore(place.url, SQLOptions(prefix="mail_")) as store:
        assert told(await examined(store)) == []
        await place.run("DROP TABLE mail_schedules")
        (finding,) = await examined(store)
    assert finding.code == "missing_columns"
    assert "Table mail_schedules lacks all of it" in finding.sentence


async def test_a_missing_index_is_found(place: Place) -> None:
    of = " ON jobs" if place.kind == "mysql" else ""
    async with SQLJobStore(place.url) as store:
        await place.run(f"DROP INDEX jobs_held{of}")
        await place.run(f"DROP INDEX jobs_queued{of}")
        (finding,) = await examined(store)
    assert finding.code == "missing_indexes"
    assert "Table jobs lacks the indexes jobs_held, jobs_queued" in finding.sentence


async def test_a_missing_column_is_found(place: Place) -> None:
    async with SQLJobStore(place.url) as store:
        await place.run("ALTER TABLE workers DROP COLUMN version")
        assert told(await examined(store)) == [
            ("missing_columns", "Table workers lacks version.")
        ]


@pytest.mark.parametrize("place", KINDS[1:], indirect=True)  # SQLite drops none
async def test_a_missing_constraint_is_found(place: Place) -> None:
    async with SQLJobStore(place.url) as store:
        await place.run("ALTER TABLE jobs DROP CONSTRAINT jobs_status")
        (finding,) = await examined(store)
    assert finding.code == "missing_constraints"
    assert "Table jobs lacks the constraints jobs_status:" in finding.sentence


async def test_what_somebody_added_is_theirs(place: Place) -> None:
    async with SQLJobStore(place.url) as store:
        await place.run("CREATE INDEX jobs_own ON jobs (max_retries)")
        await place.run("ALTER TABLE workers ADD COLUMN own INTEGER")
        assert told(await examined(store)) == []


@pytest.mark.parametrize(
    ("revision", "code"), [("0001", "schema_behind"), ("9999", "schema_ahead")]
)
async def test_another_revision_is_found(
    place: Place, revision: str, code: str
) -> None:
    async with SQLJobStore(place.url) as store:
        await place.run(f"UPDATE jobcore_schema SET revision = '{revision}'")  # noqa: S608 - our own
        (finding,) = await examined(store)
    assert (finding.code, finding.data["found"]) == (code, revision)


async def test_tables_without_a_revision_are_behind(place: Place) -> None:
    async with SQLJobStore(place.url) as store:
        await place.run("DELETE FROM jobcore_schema")
        (finding,) = await examined(store)
    assert finding.code == "schema_behind"


@pytest.mark.parametrize("way", postgresql.WAYS)
async def test_every_way_to_a_server_is_good_enough(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = set()
    if way == "pooler":
        monkeypatch.setattr(listen, "_PATIENCE", 0.5)
        lost = {"notifications_lost"}
    async with postgresql.empty_store("18", way) as store:
        found = {each.code for each in await examined(store)}
    assert found - {"bloat"} == lost, "other tests leave dead rows"


async def test_a_server_that_flushes_nothing_is_found() -> None:
    async with postgresql.a_store("18", "url") as store:
        found = [each for each in await store.examine() if each.fault == MAY_BE_DAMAGED]
    assert [each.sentence for each in found] == [
        "fsync is off: a power failure may damage the database."
    ]


async def test_dead_rows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "_MOST_DEAD", 100)
    async with postgresql.another_database("18") as url, SQLJobStore(url) as store:
        await run_on(url, "ALTER TABLE labels SET (autovacuum_enabled = off)")
        await run_on(
            url,
            "INSERT INTO labels SELECT 'a', 'b', n FROM generate_series(1, 200) AS n;"
            " DELETE FROM labels; SELECT pg_stat_force_next_flush()",
        )
        while not (found := await examined(store)):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
    assert told(found) == [
        (
            "bloat",
            "Table labels has 200 dead rows beside 0 that live; the last vacuum was at "
            "no time.",
        )
    ]


async def test_a_transaction_that_is_open_for_long_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with postgresql.another_database("18") as url, SQLJobStore(url) as store:
        other = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            async with other.transaction(isolation="repeatable_read"):
                pid = await other.fetchval("SELECT pg_backend_pid()")
                assert told(await examined(store)) == []
                monkeypatch.setattr(examining, "_LONGEST_TRANSACTION", timedelta(0))
                (finding,) = await examined(store)
        finally:
            await other.close()
    assert finding.code == "old_transaction"
    assert f"process {pid} (idle in transaction)" in finding.sentence


async def test_a_long_log_is_found(path: Path, store: SQLJobStore) -> None:
    log = path.with_name("jobs.db-wal")
    with log.open("r+b") as file:
        os.truncate(file.fileno(), 300 * 2**20)
    assert told(await store.examine()) == [
        ("large_log", "The write-ahead log jobs.db-wal has 300 MiB.")
    ]


async def test_a_file_that_may_be_damaged_is_found(url: str) -> None:
    async with SQLJobStore(url, SQLOptions(synchronous="off")) as store:
        (finding,) = await store.examine()
    assert finding.sentence == (
        "synchronous is off: a power failure may damage the database."
    )


@mysql.needed
async def test_commits_that_may_be_lost_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if the server should have another setting, which it shares with others."""
    monkeypatch.setattr(examining, "_FLUSHES_EACH_COMMIT", 9)
    async with mysql.a_store() as store:
        (finding,) = await store.examine()
    assert finding.sentence.startswith("innodb_flush_log_at_trx_commit is 1:")


async def test_notifications_that_do_not_come_through_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As behind a pooler, which lets another connection listen than the one it was
    asked on."""
    monkeypatch.setattr(listen, "_PATIENCE", 0.1)
    monkeypatch.setattr(PostgreSQLDialect, "tell", lambda *_: None)
    async with postgresql.another_database("18") as url, SQLJobStore(url) as store:
        (finding,) = await examined(store)
    assert finding.code == "notifications_lost"


def test_no_two_faults_share_a_code() -> None:
    assert len({each.code for each in FAULTS}) == len(FAULTS)
