"""The MySQL server of the tests, and a database of ours on it.

None is brought along: an environment variable names one that runs.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncmy
import pytest
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from jobcore_sql import SQLJobStore
from jobcore_sql.schema import VERSIONS
from jobcore_sql.tables import metadata

NAMED = "JOBCORE_TEST_MYSQL_URL"
WAYS: tuple[str, ...] = ("url", "engine")
"""Ways to the server: its URL, and an engine of the host's, in whose transactions
nothing is strict, and which speaks another alphabet."""
needed: pytest.MarkDecorator = pytest.mark.skipif(
    NAMED not in os.environ, reason=f"no server: {NAMED} names none"
)

PREFIX = "JOBCORE_TEST_MYSQL_PREFIX"
"""Names what databases are called at first, by whoever drops those of killed tests."""

_DATABASE = f"{os.environ.get(PREFIX, 'jobcore_test')}_{os.getpid()}"
_made: list[str] = []


async def url(database: str = _DATABASE) -> str:
    """A database on the server, which all tests share unless they name another. Neither
    its alphabet nor its order is ours."""
    if database not in _made:
        await run(f"CREATE DATABASE {database} CHARACTER SET latin1", database=None)
        _made.append(database)
    return _server().set(database=database).render_as_string(hide_password=False)


@asynccontextmanager
async def an_empty_database(name: str) -> AsyncIterator[str]:
    """The URL of a database for one test."""
    name = f"{_DATABASE}_{name}"
    yield await url(name)
    await run(f"DROP DATABASE {name}", database=None)
    _made.remove(name)


async def described(url: str) -> list[str]:
    """The tables there, as the server would make them again, in any order."""
    database = make_url(url).database
    tables = await run("SHOW TABLES", database=database)
    found: list[str] = []
    for (name,) in tables:
        ((_, made),) = await run(f"SHOW CREATE TABLE `{name}`", database=database)
        if not name.endswith(VERSIONS.name):
            made = re.sub(r" AUTO_INCREMENT=\d+", "", made)
            found += (f"{name}: {line.rstrip(',')}" for line in made.splitlines())
    return sorted(found)


@asynccontextmanager
async def a_store(way: str = "url") -> AsyncIterator[SQLJobStore]:
    """A store on that database, reached in one of the `WAYS`."""
    if way == "url":
        async with SQLJobStore(await url()) as store:
            yield store
        return
    engine = create_async_engine(
        make_url(await url()).set(drivername="mysql+asyncmy"),
        connect_args={
            "charset": "latin1",
            "init_command": "SET sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'",
        },
        isolation_level="SERIALIZABLE",
    )
    async with SQLJobStore(engine) as store:
        yield store
    await engine.dispose()


@asynccontextmanager
async def empty_store(way: str = "url") -> AsyncIterator[SQLJobStore]:
    """Such a store without anything in it."""
    async with a_store(way) as store:
        await empty()
        yield store


async def empty() -> None:
    """Delete everything that such a store has."""
    await run(*(f"DELETE FROM `{name}`" for name in metadata.tables))  # noqa: S608 - our own names


@asynccontextmanager
async def connected(database: str | None = _DATABASE) -> AsyncIterator[Any]:
    """A connection of the driver's to a database on the server."""
    server = _server()
    connection = await asyncmy.connect(
        host=server.host or "127.0.0.1",
        port=server.port or 3306,
        user=server.username,
        password=server.password or "",
        database=database,
        autocommit=True,
    )
    try:
        yield connection
    finally:
        await connection.ensure_closed()


async def run(*statements: str, database: str | None = _DATABASE) -> list[Any]:
    """Run *statements* there, and answer what the last one answers."""
    async with connected(database) as connection:
        found: Sequence[Any] = ()
        for each in statements:
            cursor = connection.cursor()
            await cursor.execute(each)
            found = await cursor.fetchall()
            await cursor.close()
        return list(found)


async def drop_all(prefix: str) -> None:
    """Drop the databases whose names begin with *prefix*."""
    for (name,) in await run("SHOW DATABASES", database=None):
        if name.startswith(f"{prefix}_"):
            await run(f"DROP DATABASE {name}", database=None)


def stop() -> None:
    """Leave nothing behind."""
    while _made:
        asyncio.run(run(f"DROP DATABASE {_made.pop()}", database=None))


def _server() -> URL:
    return make_url(os.environ[NAMED])
