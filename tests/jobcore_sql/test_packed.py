"""Rows that come as one text."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import Connection

from jobcore.testing import a_job, a_request, named
from jobcore_sql import SQLJobStore
from jobcore_sql.dialects.sqlite import SQLiteDialect

pytestmark = pytest.mark.anyio

EVERY_BYTE = bytes(range(256))


@pytest.fixture
def longest_text(monkeypatch: pytest.MonkeyPatch) -> int:
    """What SQLite allows a text to have, so small that a test can exceed it."""
    length, prepare = 20_000, SQLiteDialect.prepare

    def prepare_small(self: SQLiteDialect, connection: Connection) -> None:
        prepare(self, connection)
        driver: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]  # of every driver
        driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, length)

    monkeypatch.setattr(SQLiteDialect, "prepare", prepare_small)
    return length


async def test_rows_longer_than_the_longest_text_come_one_by_one(
    longest_text: int, store: SQLJobStore
) -> None:
    payload = b"x" * (longest_text // 10)
    jobs = [named(store, a_job(payload=payload, extra=None)) for _ in range(10)]
    for each in jobs:
        await store.insert([each])
    found = await store.get([each.id for each in jobs])
    assert [each and each.payload for each in found] == [payload] * 10
    claims = (await store.claim(a_request(limit=10))).claims
    assert [each.job_id for each in claims] == [each.id for each in jobs]


@pytest.mark.parametrize("payload", [b"", EVERY_BYTE, b'"\\u0000"'])
async def test_bytes_come_back_as_they_were(store: SQLJobStore, payload: bytes) -> None:
    new = named(store, a_job(payload=payload, extra=payload))
    await store.insert([new])
    (job,) = await store.get([new.id])
    assert job
    assert (job.payload, job.extra, job.result) == (payload, payload, None)
