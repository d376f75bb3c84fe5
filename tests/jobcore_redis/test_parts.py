"""A batch goes to the partitions of its items, some scripts at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from jobcore import StoreUnavailableError
from jobcore_redis import RedisJobStore
from jobcore_redis.part import Part
from jobcore_redis.parts import _AT_ONCE
from jobcore_redis.problems import NotReplicatedError
from tests.jobcore_redis.servers import another_namespace, empty_store, url

pytestmark = pytest.mark.anyio

IDS = [f"{number}.{number % 5}" for number in range(50)]


@pytest.fixture
async def store() -> AsyncIterator[RedisJobStore]:
    options = replace(another_namespace(), partitions=5)
    async with empty_store("6.2", options) as store:
        yield store


class Act:
    """Answers items with themselves after a round trip, or has a problem with those of
    a partition, and keeps in mind how often it ran at a time."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.asked: list[str] = []
        self.problems: dict[int, Exception] = {}

    async def __call__(self, part: Part, items: Sequence[str]) -> Sequence[str]:
        self.asked += items
        self.now += 1
        self.most = max(self.most, self.now)
        await part.paused()
        self.now -= 1
        if self.problems:
            raise self.problems[int(items[0][-1])]
        return items


async def test_answers_are_in_the_order_of_the_items(store: RedisJobStore) -> None:
    assert await store._parts.spread(IDS, str, Act(), most=3) == IDS


async def test_what_belongs_nowhere_is_not_asked_for(store: RedisJobStore) -> None:
    act = Act()
    answers = await store._parts.spread(["1.1", "2.9"], str, act, "nowhere")
    assert answers == ["1.1", "nowhere"]
    assert act.asked == ["1.1"]


async def test_some_are_asked_at_once(store: RedisJobStore) -> None:
    act = Act()
    await store._parts.spread(IDS, str, act, most=3)
    assert act.most == _AT_ONCE


async def test_where_an_item_is_there_twice_each_is_asked_in_its_turn(
    store: RedisJobStore,
) -> None:
    act = Act()
    await store._parts.spread([*IDS, IDS[0]], str, act, most=3)
    assert act.most == 1


async def test_a_client_of_the_hosts_is_asked_in_turns() -> None:
    options = replace(another_namespace(), partitions=5)
    client, act = Redis.from_url(url("6.2"), max_connections=3), Act()
    async with client, RedisJobStore(client, options) as store:
        await store._parts.spread(IDS, str, act, most=3)
    assert act.most == 1


async def test_where_one_is_not_replicated_all_have_been_asked(
    store: RedisJobStore,
) -> None:
    act, late = Act(), NotReplicatedError(0, 1, timedelta(0))
    act.problems = dict.fromkeys(range(5), late)
    with pytest.raises(NotReplicatedError):
        await store._parts.spread(IDS, str, act)
    assert sorted(act.asked) == sorted(IDS)


async def test_of_several_problems_the_worst_is_told(store: RedisJobStore) -> None:
    act, late = Act(), NotReplicatedError(0, 1, timedelta(0))
    act.problems = dict.fromkeys(range(5), late) | {3: StoreUnavailableError("gone")}
    with pytest.raises(StoreUnavailableError, match="gone"):
        await store._parts.spread(IDS, str, act)


async def test_after_an_outage_nothing_more_is_asked(store: RedisJobStore) -> None:
    act = Act()
    act.problems = dict.fromkeys(range(5), StoreUnavailableError("gone"))
    with pytest.raises(StoreUnavailableError):
        await store._parts.spread([*IDS, IDS[0]], str, act, most=3)
    assert len(act.asked) == 3
