"""Batches that want the same keys in opposite orders wait for each other in turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from jobcore import Answer, Job, NewJob, StoreUnavailableError
from jobcore.lifecycle import cancel, retry
from jobcore.testing import a_job, a_token, inserted, named
from jobcore_sql import SQLJobStore
from jobcore_sql.dialects.postgresql import PostgreSQLDialect
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio

T = TypeVar("T")

KEYS = "abc"


@pytest.fixture
async def store(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SQLJobStore]:
    """One that does not repeat what met a deadlock, so that nobody would see it."""
    monkeypatch.setattr(PostgreSQLDialect, "is_deadlock", lambda *_: False)
    async with postgresql.empty_store(server) as store:
        yield store


async def both(
    server: str, store: SQLJobStore, one: Awaitable[T], other: Awaitable[T]
) -> tuple[T, T]:
    """What *one* and *other* answer, both of which first wait for the key in between,
    as another transaction has it and gives it up."""
    engine = create_async_engine(postgresql.url(server))
    async with engine.connect() as connection:
        _, between, _ = having_keys(store, KEYS)
        await connection.begin()
        await store.using(connection).insert([between])
        calls = asyncio.gather(one, other)
        await postgresql.until_waiting(server, callers=2)
        await connection.rollback()
        answers = await calls
    await engine.dispose()
    return answers


def having_keys(store: SQLJobStore, keys: str) -> list[NewJob]:
    return [named(store, a_job(unique_key=each)) for each in keys]


async def test_of_two_inserts_of_the_same_keys_each_key_gets_one(
    server: str, store: SQLJobStore
) -> None:
    forwards, backwards = having_keys(store, KEYS), having_keys(store, KEYS[::-1])
    answers = await both(server, store, store.insert(forwards), store.insert(backwards))
    created = [each.created for inserts in answers for each in inserts]
    assert sum(created) == len(KEYS)


async def test_of_two_retries_of_the_same_keys_each_key_gets_one(
    server: str, store: SQLJobStore
) -> None:
    async def canceled() -> list[Job]:
        jobs = await inserted(store, *having_keys(store, KEYS))
        await store.apply([cancel(each, a_token()) for each in jobs])
        return [each for each in await store.get([job.id for job in jobs]) if each]

    async def retried(jobs: Sequence[Job]) -> list[Answer]:
        transitions = [retry(each, a_token()) for each in jobs]
        try:
            return await store.apply(transitions)
        except StoreUnavailableError as error:
            if "UniqueViolation" not in str(error):
                raise
            return await store.apply(transitions)

    forwards, backwards = await canceled(), (await canceled())[::-1]
    answers = await both(server, store, retried(forwards), retried(backwards))
    applied = [each is Answer.APPLIED for batch in answers for each in batch]
    assert sum(applied) == len(KEYS)
