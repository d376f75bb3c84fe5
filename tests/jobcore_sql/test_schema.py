"""Migrations and the version of the tables."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine
from sqlalchemy.dialects import postgresql as language
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement

from jobcore.errors import SchemaVersionError
from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.naming import Naming
from jobcore_sql.schema import HEAD, VERSIONS
from jobcore_sql.tables import metadata
from tests.jobcore_sql import postgresql
from tests.postgres_server import psql

pytestmark = pytest.mark.anyio


def schema(path: Path) -> dict[str, str]:
    database = sqlite3.connect(path)
    rows = database.execute(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name <> ?", [VERSIONS.name]
    ).fetchall()
    database.close()
    return dict(rows)


async def test_the_migrations_make_the_tables_of_the_code(
    url: str, path: Path, tmp_path: Path
) -> None:
    async with SQLJobStore(url):
        pass
    straight = tmp_path / "straight.db"
    engine = create_engine(f"sqlite:///{straight}")
    metadata.create_all(engine)
    engine.dispose()
    assert schema(path) == schema(straight)


async def test_opening_again_migrates_nothing(url: str, path: Path) -> None:
    async with SQLJobStore(url):
        pass
    before = schema(path)
    async with SQLJobStore(url, SQLOptions(auto_migrate=False)):
        pass
    assert schema(path) == before


async def test_an_empty_database_is_refused_where_nothing_may_be_migrated(
    url: str, path: Path
) -> None:
    store = SQLJobStore(url, SQLOptions(auto_migrate=False))
    with pytest.raises(SchemaVersionError) as caught:
        await store.__aenter__()
    assert caught.value.found == "empty"
    assert schema(path) == {}


async def test_a_newer_schema_is_refused(url: str, path: Path) -> None:
    async with SQLJobStore(url):
        pass
    database = sqlite3.connect(path)
    database.execute(
        "UPDATE jobcore_schema SET revision = '9999', compatible_since = '9998'"
    )
    database.commit()
    database.close()
    with pytest.raises(SchemaVersionError) as caught:
        await SQLJobStore(url).__aenter__()
    assert caught.value.found == "9999"


def test_the_revision_of_the_release_is_the_newest_migration() -> None:
    script = ScriptDirectory(str(files("jobcore_sql").joinpath("migrations")))
    assert script.get_current_head() == HEAD


async def test_opening_what_is_up_to_date_does_not_import_alembic(url: str) -> None:
    async with SQLJobStore(url):
        pass
    program = f"""
import asyncio, sys
from jobcore_sql import SQLJobStore
async def main():
    async with SQLJobStore({url!r}) as store:
        await store.statistics()
asyncio.run(main())
assert "alembic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: ASYNC221, S603 - our own interpreter, and nothing else runs here


def test_the_migrations_are_in_the_package() -> None:
    folder = files("jobcore_sql").joinpath("migrations", "versions")
    assert any(each.name.startswith("r0001") for each in folder.iterdir())


def written(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=language.dialect()))  # type: ignore[no-untyped-call]  # it has no annotations


@pytest.mark.parametrize("naming", [Naming(), Naming("group", "select_")])
async def test_the_migrations_make_the_tables_of_the_code_on_a_server(
    server: str, naming: Naming
) -> None:
    """As the database itself describes both."""
    options = SQLOptions(schema=naming.schema, prefix=naming.prefix)
    async with SQLJobStore(postgresql.url(server), options):
        pass
    migrated = postgresql.database(server)
    straight = f"{migrated}?options=-csearch_path%3Dstraight"
    psql(migrated, "CREATE SCHEMA straight")
    code = MetaData()
    try:
        for each in metadata.sorted_tables:
            table = replace(naming, schema=None).add(each, code)
            indexes = [written(CreateIndex(each)) for each in table.indexes]
            psql(straight, written(CreateTable(table)), *indexes)
        described = postgresql.described(straight)
    finally:
        psql(migrated, "DROP SCHEMA straight CASCADE")
    assert "jobs_queued" in described
    if naming.schema is not None:
        migrated += f"?options=-csearch_path%3D{naming.schema}"
    assert postgresql.described(migrated) == described


async def test_many_open_an_empty_database_at_the_same_time(server: str) -> None:
    async with postgresql.another_database(server) as url, AsyncExitStack() as stack:
        stores = [SQLJobStore(url) for _ in range(8)]
        await asyncio.gather(*map(stack.enter_async_context, stores))
        for each in stores:
            assert (await each.verify()).sound
