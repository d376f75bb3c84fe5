"""A URL names one machine, sentinels or a cluster, and has options."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.sentinel import SentinelConnectionPool

from jobcore import CallTimeout, StoreError, StoreUnavailableError, store_from_url
from jobcore_redis import RedisJobStore, RedisOptions
from jobcore_redis.connect import address, connected
from tests.jobcore_redis import servers
from tests.ports import free_port
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)


def test_a_url_has_options_of_the_store() -> None:
    url, options = address(
        "redis://host/3?jobcore_namespace=mail&health_check_interval=5"
        "&jobcore_call_timeout=2&jobcore_wait_replicas=1",
        RedisOptions(prefix="ours"),
    )
    assert url.geturl() == "redis://host/3?health_check_interval=5"
    wanted = RedisOptions(
        prefix="ours", namespace="mail", call_timeout=2 * SECOND, wait_replicas=1
    )
    assert options == wanted


@pytest.mark.parametrize(
    "url",
    [
        "redis://host:port/0",
        "redis://host/0?jobcore_unheard=1",
        "redis://host/0?jobcore_partitions=many",
    ],
)
def test_a_url_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="its URL"):
        store_from_url(url)


@pytest.mark.parametrize("name", ["", "a b", "a{b", "a*", "a.b", "x" * 65])
def test_a_namespace_that_is_no_plain_name_is_refused(name: str) -> None:
    with pytest.raises(StoreError, match="the namespace"):
        RedisOptions(namespace=name)


@pytest.mark.parametrize("number", [0, -1, 257])
def test_a_number_of_partitions_that_is_too_small_or_large_is_refused(
    number: int,
) -> None:
    with pytest.raises(StoreError, match="partitions are not 1 to 256"):
        RedisOptions(partitions=number)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"wait_replicas": -1}, "-1 replicas cannot be waited for"),
        ({"wait_replicas": 1, "wait_timeout": timedelta(0)}, "wait_timeout"),
        ({"wait_replicas": 1, "wait_timeout": 15 * SECOND}, "wait_timeout"),
    ],
)
def test_a_wait_for_replicas_that_cannot_be_is_refused(
    given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(StoreError, match=problem):
        RedisOptions(**given)


async def test_a_cluster_is_a_client_of_its_own() -> None:
    url = urlsplit("redis+cluster://127.0.0.1:1")
    assert isinstance(connected(url, SECOND), RedisCluster)


async def test_sentinels_are_listed_in_the_place_of_the_host() -> None:
    url = urlsplit("redis+sentinel://user:word@127.0.0.1:1,127.0.0.1/service/2")
    client = connected(url, SECOND)
    assert isinstance(client, Redis)
    pool = client.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "service"
    settings = pool.connection_kwargs
    told = (settings["db"], settings["username"], settings["password"])
    assert told == (2, "user", "word")


@pytest.mark.parametrize("url", ["redis+sentinel://host", "redis+pigeon://host"])
def test_an_unknown_way_to_redis_is_refused(url: str) -> None:
    with pytest.raises(StoreError):
        connected(urlsplit(url), SECOND)


async def test_a_client_that_decodes_is_refused() -> None:
    async with Redis.from_url(servers.url("6.2"), decode_responses=True) as client:
        with pytest.raises(StoreError, match="jobs are bytes"):
            async with RedisJobStore(client):
                pass


async def test_a_client_of_the_hosts_is_not_closed() -> None:
    async with Redis.from_url(servers.url("6.2")) as client:
        async with RedisJobStore(client, servers.another_namespace()):
            pass
        assert await client.ping()


async def test_a_cluster_of_which_no_server_answers_is_unavailable() -> None:
    with pytest.raises(StoreUnavailableError):
        async with RedisJobStore(f"redis+cluster://127.0.0.1:{free_port()}"):
            pass


def test_calls_have_their_end_also_in_another_event_loop_than_before(
    alone: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallTimeout, "close", lambda _: None)
    store = RedisJobStore(alone.url, RedisOptions(call_timeout=SECOND / 5))

    async def call() -> None:
        async with store:
            await store.clock()

    async def call_in_vain() -> None:
        async with store:
            alone.pause()
            try:
                with pytest.raises(StoreUnavailableError):
                    await asyncio.wait_for(store.clock(), 5)
            finally:
                alone.go_on()

    asyncio.run(call())
    asyncio.run(call_in_vain())
