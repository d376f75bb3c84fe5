"""Trials lie beside the jobs of a host, and leave nothing of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from jobcore import JobStore, TrialStore, UnsupportedError
from jobcore.testing import TrialConformance, a_job, inserted
from jobcore_sql import SQLJobStore
from tests.jobcore_sql import mysql, postgresql

pytestmark = pytest.mark.anyio


class TestTrialsOnSQLite(TrialConformance):
    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[JobStore]:
        async with SQLJobStore(url) as store:
            yield store


class TestTrialsOnPostgreSQL(TrialConformance):
    @pytest.fixture
    async def store(self, server: str) -> AsyncIterator[JobStore]:
        async with postgresql.empty_store(server) as store:
            yield store


@mysql.needed
class TestTrialsOnMySQL(TrialConformance):
    @pytest.fixture
    async def store(self) -> AsyncIterator[JobStore]:
        async with mysql.empty_store() as store:
            yield store


async def test_a_trial_on_sqlite_is_a_file_that_is_gone_afterwards(url: str) -> None:
    async with SQLJobStore(url).trial() as trial:
        async with SQLJobStore(trial) as store:
            await inserted(store, a_job())
        assert file_of(trial).exists()
    assert not file_of(trial).parent.exists()
    assert not file_of(url).exists(), "it was never opened"


def file_of(url: str) -> Path:
    return Path(make_url(url).database or "")


async def test_a_trial_on_postgresql_leaves_no_table(server: str) -> None:
    there = "SELECT count(*) FROM pg_class WHERE relname LIKE '%trial\\_%'"
    async with SQLJobStore(postgresql.url(server)).trial() as trial:
        async with SQLJobStore(trial) as store:
            await inserted(store, a_job())
        ((during,),) = await postgresql.rows(server, there)
    assert during > 0
    assert await postgresql.rows(server, there) == [(0,)]


@mysql.needed
async def test_a_trial_on_mysql_leaves_no_table() -> None:
    there = "SHOW TABLES LIKE 'trial\\_%'"
    async with SQLJobStore(await mysql.url()).trial() as trial:
        async with SQLJobStore(trial) as store:
            await inserted(store, a_job())
        assert await mysql.run(there)
    assert await mysql.run(there) == []


async def test_a_trial_that_nobody_opened_leaves_nothing(server: str) -> None:
    async with SQLJobStore(postgresql.url(server)).trial():
        pass


async def test_a_trial_keeps_the_options_of_the_url(url: str) -> None:
    async with SQLJobStore(f"{url}?jobcore_synchronous=full").trial() as trial:
        assert SQLJobStore(trial).options.synchronous == "full"


async def test_a_store_on_an_engine_has_no_trials() -> None:
    engine = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1/nothing")
    store = SQLJobStore(engine)
    assert store.ability(TrialStore) is None
    with pytest.raises(UnsupportedError, match="TrialStore"):
        store.trial()
    await engine.dispose()
