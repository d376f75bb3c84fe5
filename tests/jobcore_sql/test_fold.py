"""What is appended to the counts is folded, and counts stay exact."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from jobcore.job import JobStatus
from jobcore.testing import a_job, inserted
from jobcore_sql import SQLJobStore
from jobcore_sql import fold as whole_fold
from jobcore_sql.single import fold as single_fold
from jobcore_sql.tables import deltas
from tests.jobcore_sql import mysql, postgresql

pytestmark = pytest.mark.anyio

_NUMBER = select(func.count()).select_from(deltas)


@pytest.fixture(params=[*postgresql.SERVERS, pytest.param("mysql", marks=mysql.needed)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[SQLJobStore]:
    server: str = request.param
    empty = mysql.empty_store() if server == "mysql" else postgresql.empty_store(server)
    async with empty as store:
        yield store


async def number_of_deltas(store: SQLJobStore) -> int:
    number: int = await store._read(lambda transaction: transaction.first(_NUMBER)[0])
    return number


async def test_promote_folds_what_inserts_appended(
    store: SQLJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (single_fold, whole_fold):
        monkeypatch.setattr(each, "_ENOUGH", select(deltas.c.n).offset(9).limit(1))
    for _ in range(9):
        await inserted(store, a_job(queue="one"))
    await store.promote(1)
    assert await number_of_deltas(store) == 9, "few are left as they are"
    await inserted(store, a_job(queue="two"))
    await asyncio.gather(*(store.promote(1) for _ in range(4)))
    assert await number_of_deltas(store) == 0
    statistics = await store.statistics()
    assert statistics.count(JobStatus.QUEUED) == 10
    assert statistics.queues["two"].counts == {JobStatus.QUEUED: 1}
    for _ in range(10):
        await inserted(store, a_job(queue="two"))
    await store.promote(1)
    assert await number_of_deltas(store) == 0
    statistics = await store.statistics()
    assert statistics.queues["two"].counts == {JobStatus.QUEUED: 11}
    assert (await store.verify()).sound
