"""The PostgreSQL servers of the tests, and a database of ours on each.

PostgreSQL 18 comes from a wheel; another server may be named by an environment
variable. Both are started or asked when they are first wanted.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine

from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.tables import metadata
from tests.pgbouncer import PROGRAM, PgBouncer
from tests.postgres_server import PostgresServer, psql

NAMED = "JOBCORE_TEST_POSTGRES_URL"
SERVERS: tuple[str, ...] = ("18", *(["named"] if os.environ.get(NAMED) else []))
OWN = "JOBCORE_TEST_OWN_POSTGRES_URL"
"""Names a server to be used in the place of our own, by whoever has started that."""
WAYS: tuple[str, ...] = (
    () if OWN in os.environ else ("engine", "worker", *(["pooler"] if PROGRAM else []))
)
"""Other ways to a server than its URL: an engine of the host's, whose transactions are
serializable unless told otherwise and whose arrays know no NULL, the role of a worker
on tables in a schema and with a prefix, and a pooler of transactions."""
WORKER = SQLOptions(schema="jobs", prefix="select_", auto_migrate=False)
_DATABASE = f"jobcore_test_{os.getpid()}"

_DESCRIBED = (
    """
    SELECT table_name, column_name, data_type, character_maximum_length,
        collation_name, is_nullable, column_default
    FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name NOT LIKE '%jobcore_schema'
    ORDER BY 1, 2
    """,
    """
    SELECT replace(indexdef, quote_ident(current_schema()) || '.', '') FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename NOT LIKE '%jobcore_schema'
    ORDER BY 1
    """,
    """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace AND contype = 'c'
    ORDER BY 1
    """,
)

_WAITING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)

_started: list[Callable[[], object]] = []
_migrated: set[str] = set()


def url(server: str) -> str:
    """A database on *server*, with the tables of this release, that all tests share."""
    return database(server).replace("postgresql:", "postgresql+asyncpg:")


def port(server: str) -> int:
    """Where *server* listens."""
    return urlsplit(database(server)).port or 5432


@asynccontextmanager
async def a_store(server: str, way: str) -> AsyncIterator[SQLJobStore]:
    """A store on that database, reached in one of the `WAYS`."""
    if way == "engine":
        odd = {"default_transaction_isolation": "serializable", "array_nulls": "off"}
        arguments = {"server_settings": odd}
        engine = create_async_engine(url(server), connect_args=arguments)
        async with SQLJobStore(engine) as store:
            yield store
        await engine.dispose()
    elif way == "pooler":
        pooled = SQLOptions(transaction_pooler=True)
        async with SQLJobStore(_behind_pooler(server), pooled) as store:
            yield store
    elif way == "worker":
        await _migrate(server)
        async with SQLJobStore(url_of(server, "jobs_worker"), WORKER) as store:
            yield store
    else:
        async with SQLJobStore(url(server)) as store:
            yield store


async def _migrate(server: str) -> None:
    if server not in _migrated:
        migrating = replace(WORKER, auto_migrate=True)
        async with SQLJobStore(url_of(server, "jobs_migrator"), migrating):
            _migrated.add(server)


def options(way: str) -> SQLOptions:
    """How the store that is reached in this way works."""
    return WORKER if way == "worker" else SQLOptions()


def url_of(server: str, role: str) -> str:
    """That database, for one of the roles of the documentation."""
    _create_roles(server)
    return url(server).replace("//postgres@", f"//{role}@")


@asynccontextmanager
async def empty_store(server: str, way: str = "url") -> AsyncIterator[SQLJobStore]:
    """Such a store without anything in it."""
    async with a_store(server, way) as store:
        await empty(server, way)
        yield store


async def empty(server: str, way: str) -> None:
    """Delete everything that such a store has."""
    await run(server, *(f"DELETE FROM {name}" for name in tables(options(way))))  # noqa: S608 - our own names


@asynccontextmanager
async def another_database(server: str) -> AsyncIterator[str]:
    """A database with nothing in it; its URL."""
    name = f"{_DATABASE}_another"
    await run(server, f"CREATE DATABASE {name}")
    try:
        yield f"{url(server)}_another"
    finally:
        await run(server, f"DROP DATABASE {name} WITH (FORCE)")


def tables(options: SQLOptions) -> list[str]:
    """What the tables are called, as it is written in a statement."""
    return [whole_name(each, options) for each in metadata.tables]


def whole_name(table: str, options: SQLOptions) -> str:
    schema = "" if options.schema is None else f'"{options.schema}".'
    return schema + options.naming.name(table)


async def run(server: str, *statements: str) -> None:
    """Run *statements* in that database as its owner."""
    connection = await asyncpg.connect(database(server))
    try:
        await connection.execute(";".join(statements))
    finally:
        await connection.close()


async def rows(server: str, statement: str) -> list[asyncpg.Record]:
    """What *statement* answers there."""
    connection = await asyncpg.connect(database(server))
    try:
        found: list[asyncpg.Record] = await connection.fetch(statement)
        return found
    finally:
        await connection.close()


async def until_waiting(server: str, callers: int = 1) -> None:
    """Until so many wait there for a lock."""
    while len(await rows(server, _WAITING)) < callers:  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.005)


def described(url: str) -> str:
    """The columns, indexes and checks in the first schema of the search path there."""
    return psql(url, *_DESCRIBED)


def stop() -> None:
    """Leave nothing behind."""
    while _started:
        _started.pop()()


@cache
def database(server: str) -> str:
    if server == "named":
        admin = os.environ[NAMED]
    else:
        admin = os.environ.get(OWN) or _own_server().url()
    quick = f"ALTER DATABASE {_DATABASE} SET synchronous_commit = off"
    psql(admin, f"CREATE DATABASE {_DATABASE}", quick)
    if server == "named":
        dropped = f"DROP DATABASE {_DATABASE} WITH (FORCE)"
        _started.append(partial(psql, admin, dropped))
    return admin.rpartition("/")[0] + f"/{_DATABASE}"


@cache
def _create_roles(server: str) -> None:
    assert server == "18", "roles stay on a server"
    page = (Path(__file__).parents[2] / "docs" / "postgresql.md").read_text()
    (roles,) = re.findall(r"<!-- roles -->\n```sql\n(.*?)```", page, re.DOTALL)
    psql(database(server), roles)


@cache
def _own_server() -> PostgresServer:
    server = PostgresServer(Path(mkdtemp(prefix="jobcore-postgresql-")))
    server.start()
    _started.append(server.remove)
    return server


@cache
def _behind_pooler(server: str) -> str:
    assert server == "18", "a pooler is put before our own server"
    folder = TemporaryDirectory(prefix="jobcore-pgbouncer-")
    pooler = PgBouncer(Path(folder.name), _own_server().port)
    pooler.start()
    _started.extend([folder.cleanup, pooler.stop])
    port = str(_own_server().port)
    return url(server).replace(f":{port}/", f":{pooler.port}/")
