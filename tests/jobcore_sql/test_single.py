"""Verbs in one statement, and what they do where something is in their way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from jobcore import Answer, StoreError, WorkerRecord
from jobcore.job import JobStatus
from jobcore.lifecycle import complete
from jobcore.testing import a_claim, a_job, a_request, inserted, named
from jobcore_sql import SQLJobStore
from jobcore_sql.dialects.postgresql import Cursor
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@pytest.fixture
async def store(server: str) -> AsyncIterator[SQLJobStore]:
    async with postgresql.empty_store(server) as store:
        yield store
        assert (await store.verify()).sound


async def test_a_row_that_was_locked_for_a_moment_ends_in_a_second_statement(
    server: str, store: SQLJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = [await a_claim(store) for _ in range(2)]
    other = await asyncpg.connect(postgresql.database(server))
    transaction = other.transaction()
    await transaction.start()
    lock = "SELECT FROM jobs WHERE id = $1 FOR UPDATE"
    await other.execute(lock, claims[0].job_id)
    executed: list[str] = []
    fetch = Cursor.fetch

    async def watched(
        cursor: Cursor, statement: str, values: Sequence[Any]
    ) -> list[Any]:
        rows = await fetch(cursor, statement, values)
        executed.append(statement)
        if len(executed) == 1:
            await transaction.rollback()
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(Cursor, "fetch", watched)
        answers = await store.apply([complete(each, b"1") for each in claims])
    assert answers == [Answer.APPLIED] * 2
    assert len(executed) == 2
    await other.close()


async def test_a_statement_that_a_deadlock_undid_is_looked_at_more_closely(
    store: SQLJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Cursor.fetch

    async def undone(*_: object) -> list[Any]:
        monkeypatch.setattr(Cursor, "fetch", fetch)
        raise asyncpg.DeadlockDetectedError

    monkeypatch.setattr(Cursor, "fetch", undone)
    (job,) = await inserted(store, a_job())
    assert await store.get([job.id]) == [job]


async def test_jobs_of_a_claim_do_not_share_what_may_be_changed(
    store: SQLJobStore,
) -> None:
    await inserted(store, *[a_job(labels={"name": "text"})] * 2)
    one, two = (await store.claim(a_request(limit=2))).claims
    assert one.job.labels == two.job.labels == {"name": "text"}
    assert one.job.labels is not two.job.labels


async def test_a_text_that_no_database_has_is_refused_and_nothing_stored(
    store: SQLJobStore,
) -> None:
    new = [named(store, a_job(unique_key=key)) for key in ("a", "b\0c")]
    with pytest.raises(StoreError):
        await store.insert(new)
    assert await store.get([each.id for each in new]) == [None, None]


async def test_a_batch_keeps_bytes_of_any_kind(store: SQLJobStore) -> None:
    in_ascii = [b"", b"\\", b"\\x41", b'"', b"{"]
    for another in (b"}", b"\xff", b"\0", b"much" * 2**18):
        payloads = [*in_ascii, another]
        jobs = await inserted(store, *(a_job(payload=each) for each in payloads))
        kept = await store.get([each.id for each in jobs])
        assert [each and each.payload for each in kept] == payloads


@pytest.mark.parametrize(
    ("length", "way"), [(2**10, "AS BYTEA[]"), (2**20, "::BYTEA[]")]
)
async def test_bytes_go_as_text_unless_they_are_many(
    store: SQLJobStore, executed: list[str], length: int, way: str
) -> None:
    await inserted(store, *(a_job(payload=each * length) for each in (b"1", b"2")))
    (insert,) = executed
    assert way in insert


async def test_a_batch_of_which_some_are_held_is_stored_in_one_statement(
    store: SQLJobStore, executed: list[str]
) -> None:
    new = [named(store, a_job(held_by=by)) for by in ("approval", None)]
    stored = await store.insert(new)
    assert [each.job.status for each in stored] == [JobStatus.HELD, JobStatus.QUEUED]
    assert len(executed) == 1
    (claim,) = (await store.claim(a_request(limit=2))).claims
    assert claim.job_id == new[1].id


async def test_while_there_is_nothing_a_claim_only_looks(
    store: SQLJobStore, executed: list[str]
) -> None:
    await store.claim(a_request())
    executed.clear()
    await store.claim(a_request())
    (look,) = executed
    assert "UPDATE" not in look


async def test_after_news_a_claim_does_not_look_first(
    store: SQLJobStore, executed: list[str]
) -> None:
    await store.claim(a_request())
    waiting = asyncio.create_task(store.wait(["default"], "worker", HOUR))
    await asyncio.sleep(0)
    await inserted(store, a_job())
    await waiting
    executed.clear()
    assert (await store.claim(a_request())).claims
    (taken,) = executed
    assert "UPDATE" in taken


async def test_a_worker_is_seen_and_who_did_not_return_is_forgotten_in_one_statement(
    server: str, store: SQLJobStore, executed: list[str]
) -> None:
    await store.seen(WorkerRecord(id="absent"), HOUR)
    await store.seen(WorkerRecord(id="late"), HOUR)
    store.offset += HOUR
    executed.clear()
    await store.seen(WorkerRecord(id="late"), HOUR)
    assert len(executed) == 1
    connection = await asyncpg.connect(postgresql.database(server))
    kept = await connection.fetch("SELECT id FROM workers")
    await connection.close()
    assert [row["id"] for row in kept] == ["late"]


async def test_a_turn_is_not_given_again_to_who_waited_while_it_was_taken(
    server: str, store: SQLJobStore
) -> None:
    await store.turn("duty", timedelta(0))
    other = await asyncpg.connect(postgresql.database(server))
    async with other.transaction():
        await other.execute("SELECT FROM duties FOR UPDATE")
        asked = asyncio.create_task(store.turn("duty", HOUR))
        await postgresql.until_waiting(server)
        taken = "UPDATE duties SET due_at = clock_timestamp() + interval '1 hour'"
        await other.execute(taken)
    await other.close()
    assert not await asked
