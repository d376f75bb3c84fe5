"""Calls and the connections they get."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from jobcore import CallTimeout, Claim, StoreUnavailableError
from jobcore.testing import a_claim
from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.dialects.postgresql import Cursor, PostgreSQLDialect
from jobcore_sql.transaction import Transaction
from tests.jobcore_sql import mysql, postgresql

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
PAUSE = "INSERT INTO pauses (kind, name) VALUES ('queue', 'mail')"
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture(params=[*postgresql.SERVERS, pytest.param("mysql", marks=mysql.needed)])
async def there(request: pytest.FixtureRequest) -> AsyncIterator[tuple[URL, str]]:
    """An empty database, and how it sleeps for a second."""
    if request.param == "mysql":
        async with mysql.empty_store():
            url = make_url(await mysql.url()).set(drivername="mysql+asyncmy")
            yield url, "SELECT SLEEP(1)"
        return
    async with postgresql.empty_store(request.param):
        yield make_url(postgresql.url(request.param)), "SELECT pg_sleep(1)"


@asynccontextmanager
async def with_few_connections(way: str, url: URL) -> AsyncIterator[SQLJobStore]:
    """A store that has no more than two connections for everything but listening."""
    if way == "url":
        async with SQLJobStore(whole(url), SQLOptions(pool_size=1)) as store:
            yield store
        return
    engine = create_async_engine(url, pool_size=2, max_overflow=0)
    async with SQLJobStore(engine) as store:
        yield store
    await engine.dispose()


def whole(url: URL) -> str:
    return url.render_as_string(hide_password=False)


async def renewed(store: SQLJobStore, claim: Claim) -> None:
    renewal = await store.renew([claim], HOUR)
    assert not renewal.lost


@pytest.mark.parametrize("server", postgresql.SERVERS)
async def test_a_connection_on_which_a_value_was_not_sent_is_not_used_again(
    server: str,
) -> None:
    dialect = PostgreSQLDialect(SQLOptions(), is_ours=True)
    connection = await asyncpg.connect(postgresql.database(server))
    cursor = Cursor(connection)
    with pytest.raises(asyncpg.DivisionByZeroError) as refused:
        await connection.fetch("SELECT 1 / $1::integer", 0)
    assert dialect.is_whole(cursor, refused.value)
    with pytest.raises(asyncpg.DataError) as unsent:
        await connection.fetch("SELECT $1::timestamptz", "never")
    assert not dialect.is_whole(cursor, unsent.value)
    await connection.close()


@pytest.mark.parametrize("way", ["url", "engine"])
async def test_leases_are_renewed_while_all_other_connections_are_busy(
    there: tuple[URL, str], way: str
) -> None:
    url, nap = there
    begun, ended = asyncio.Event(), False

    def sleep(transaction: Transaction) -> None:
        nonlocal ended
        begun.set()
        transaction.cursor.execute(nap, ())
        ended = True

    async with with_few_connections(way, url) as one:
        claim = await a_claim(one)
        await renewed(one, claim)
        calls = [asyncio.create_task(one._glance(sleep)) for _ in range(2)]
        await begun.wait()
        await renewed(one, claim)
        assert not ended
        await asyncio.gather(*calls)


@pytest.mark.parametrize("server", postgresql.SERVERS)
def test_calls_have_their_end_also_in_another_event_loop_than_before(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallTimeout, "close", lambda _: None)
    options = SQLOptions(call_timeout=timedelta(seconds=0.5))
    store = SQLJobStore(postgresql.url(server), options)

    async def call() -> None:
        async with store:
            await store.clock()

    async def call_in_vain() -> None:
        async with store:
            with pytest.raises(StoreUnavailableError, match="no answer"):
                await store._glance(
                    lambda transaction: transaction.cursor.execute(
                        "SELECT pg_sleep(5)", ()
                    )
                )

    asyncio.run(call())
    asyncio.run(call_in_vain())


async def test_a_transaction_that_the_server_ends_tells_the_servers_reason(
    server: str,
) -> None:
    host = await asyncpg.connect(postgresql.database(server))
    async with postgresql.empty_store(server) as store:
        async with host.transaction():
            await host.execute(PAUSE)
            pausing = asyncio.create_task(store.pause(queue="mail"))
            while not await postgresql.rows(server, TERMINATE):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.005)
            with pytest.raises(StoreUnavailableError, match="terminating connection"):
                await pausing
        await store.pause(queue="mail")
    await host.close()


async def test_a_server_gives_up_on_a_silent_connection_within_two_minutes(
    server: str,
) -> None:
    def wait(transaction: Transaction) -> int:
        seconds = 0
        for name, times in (("idle", 1), ("interval", 3)):
            transaction.cursor.execute(f"SHOW tcp_keepalives_{name}", ())
            seconds += times * int(transaction.cursor.fetchall()[0][0])
        return seconds

    async with postgresql.empty_store(server) as store:
        assert await store._glance(wait) <= 120
