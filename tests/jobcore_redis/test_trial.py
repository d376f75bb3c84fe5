"""Trials lie beside the jobs of a host, and leave nothing of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from jobcore import JobStore, TrialStore, UnsupportedError
from jobcore.testing import TrialConformance
from jobcore.testing.workload import random_work
from jobcore_redis import RedisJobStore
from tests.jobcore_redis import servers
from tests.jobcore_redis.servers import empty_store, run

pytestmark = pytest.mark.anyio

KINDS = (*servers.KINDS, *(each for each in servers.WAYS if each == "cluster"))


class TestTrialsOnRedis(TrialConformance):
    @pytest.fixture(params=KINDS)
    async def store(self, request: pytest.FixtureRequest) -> AsyncIterator[JobStore]:
        async with empty_store(request.param) as store:
            yield store


@pytest.mark.parametrize("kind", servers.KINDS)
async def test_a_trial_leaves_no_key(kind: str) -> None:
    address = servers.url(kind)
    async with RedisJobStore(address).trial() as url:
        async with RedisJobStore(url) as store:
            namespace = store.options.namespace
            async for _ in random_work(store, seed=30):
                pass
        assert run(address, "KEYS", f"*{namespace}*")
    assert run(address, "KEYS", f"*{namespace}*") == []


async def test_a_trial_keeps_the_options_of_the_url() -> None:
    url = f"{servers.url('6.2')}/0?jobcore_partitions=3&jobcore_namespace=mail"
    async with RedisJobStore(url).trial() as trial:
        options = RedisJobStore(trial).options
    assert options.partitions == 3
    assert options.namespace != "mail"


async def test_a_store_on_a_client_has_no_trials() -> None:
    async with Redis() as client:
        store = RedisJobStore(client)
        assert store.ability(TrialStore) is None
        with pytest.raises(UnsupportedError, match="TrialStore"):
            store.trial()
