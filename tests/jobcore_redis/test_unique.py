"""Unique keys that are kept in another partition than their job lies in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from jobcore import Answer, JobStatus, NewJob, StoreUnavailableError
from jobcore.lifecycle import cancel, retry
from jobcore.query import Filter
from jobcore.testing import a_job, a_token, named, pass_time
from jobcore_redis import RedisJobStore
from tests.jobcore_redis import servers

pytestmark = pytest.mark.anyio

ONLY_QUEUED = frozenset({JobStatus.QUEUED})


@pytest.fixture
async def store() -> AsyncIterator[RedisJobStore]:
    options = replace(servers.another_namespace(), partitions=5)
    async with servers.empty_store("6.2", options) as store:
        yield store
        assert (await store.verify()).sound


def far(store: RedisJobStore, number: int = 0, **fields: object) -> NewJob:
    """A job whose unique key is kept elsewhere, the *number*th of such limit keys."""
    for key in count():
        job = named(store, a_job(unique_key="k", limit_key=f"l{key}", **fields))
        if store._keys.is_far(job):
            if not number:
                return job
            number -= 1
    raise AssertionError


async def test_a_key_is_held_across_partitions(store: RedisJobStore) -> None:
    one, two, near = far(store), far(store, 1), named(store, a_job(unique_key="k"))
    (first,) = await store.insert([one])
    for other in (two, near):
        (answer,) = await store.insert([other])
        assert (answer.created, answer.job.id) == (False, first.job.id)


async def test_a_batch_has_the_first_of_several_with_a_key(
    store: RedisJobStore,
) -> None:
    jobs = [far(store), far(store, 1), named(store, a_job(unique_key="k"))]
    answers = await store.insert(jobs)
    assert [each.created for each in answers] == [True, False, False]
    assert {each.job.id for each in answers} == {jobs[0].id}


async def test_a_near_job_holds_its_key_against_a_far_one(store: RedisJobStore) -> None:
    near = named(store, a_job(unique_key="k"))
    answers = [*await store.insert([near]), *await store.insert([far(store)])]
    assert [each.job.id for each in answers] == [near.id] * 2


async def test_a_key_is_free_where_its_holder_has_left_its_scope(
    store: RedisJobStore,
) -> None:
    one, two = far(store, unique_scope=ONLY_QUEUED), far(store, 1)
    (first,) = await store.insert([one])
    await store.apply([cancel(first.job, a_token())])
    (second,) = await store.insert([two])
    assert second.created
    (again,) = await store.insert([one])
    assert (again.created, again.job.id) == (False, one.id), "its id is known"


async def test_a_key_is_free_where_its_holder_was_deleted(store: RedisJobStore) -> None:
    (first,) = await store.insert([far(store)])
    assert await store.delete(Filter(ids=(first.job.id,)), 1) == 1
    (second,) = await store.insert([named(store, a_job(unique_key="k"))])
    assert second.created


async def test_a_reservation_whose_job_never_came_is_void_after_a_minute(
    store: RedisJobStore,
) -> None:
    never, other = far(store), far(store, 1)
    await store._keys.take(never.id, never.task, "k")
    with pytest.raises(StoreUnavailableError, match="may be about to have"):
        await store.insert([other])
    pass_time(store, timedelta(minutes=2))
    (answer,) = await store.insert([other])
    assert answer.created


async def test_the_next_generation_takes_a_far_key_again_or_not_at_all(
    store: RedisJobStore,
) -> None:
    one, two = far(store), far(store, 1)
    (first,) = await store.insert([one])
    await store.apply([cancel(first.job, a_token())])
    (ended,) = await store.get([one.id])
    assert ended is not None
    assert await store.apply([retry(ended, a_token())]) == [Answer.APPLIED]
    (second,) = await store.insert([two])
    assert not second.created
    (again,) = await store.get([one.id])
    assert again is not None
    await store.apply([cancel(again, a_token())])
    (third,) = await store.insert([two])
    assert third.created
    (ended,) = await store.get([one.id])
    assert ended is not None
    assert await store.apply([retry(ended, a_token())]) == [Answer.UNIQUE_KEY]
