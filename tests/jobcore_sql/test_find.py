"""Deletions of many jobs, batch by batch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from jobcore import Filter, lifecycle
from jobcore.testing import a_claim, applied
from jobcore_sql import SQLJobStore
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio

ENDED = Filter(finished_for=timedelta(0))


@pytest.fixture
async def store(server: str) -> AsyncIterator[SQLJobStore]:
    async with postgresql.empty_store(server) as store:
        yield store
        assert (await store.verify()).sound


@pytest.fixture
async def ended(store: SQLJobStore) -> list[str]:
    """The ids of three jobs that have ended, one after the other."""
    ids = []
    for _ in range(3):
        claim = await a_claim(store)
        await applied(store, lifecycle.complete(claim, b"1"))
        ids.append(claim.job_id)
    return ids


@pytest.mark.usefixtures("ended")
async def test_a_batch_does_not_read_again_past_what_the_last_one_deleted(
    store: SQLJobStore, executed: list[str]
) -> None:
    begins_after = "finished_at >="
    assert await store.delete(ENDED, 1) == 1
    assert not any(begins_after in each for each in executed)
    executed.clear()
    assert await store.delete(ENDED, 9) == 2
    assert any(begins_after in each for each in executed)
    executed.clear()
    assert await store.delete(ENDED, 9) == 0, "that begins anew"
    assert not any(begins_after in each for each in executed)


async def test_what_was_locked_meanwhile_is_left_to_the_next_deletion(
    server: str, store: SQLJobStore, ended: list[str]
) -> None:
    other = await asyncpg.connect(postgresql.database(server))
    async with other.transaction():
        await other.execute("SELECT FROM jobs WHERE id = $1 FOR UPDATE", ended[0])
        assert await store.delete(ENDED, 1) == 1
    await other.close()
    assert await store.delete(ENDED, 9) == 1
    left = await store.get(ended)
    assert [each is None for each in left] == [False, True, True]
    assert await store.delete(ENDED, 9) == 1
