"""Workers of other processes are woken by what is published."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio.client import PubSub

from jobcore import ScheduleRecord, Tick
from jobcore.lifecycle import cancel
from jobcore.testing import a_claim, a_job, a_token, inserted
from jobcore_redis import RedisJobStore, server
from tests.jobcore_redis import servers
from tests.redis_server import RedisServer
from tools.faults.proxy import Proxy
from tools.faults.talk import RedisTalk

pytestmark = pytest.mark.anyio

LONG = timedelta(seconds=60)


async def woken(store: RedisJobStore, queue: str, worker: str) -> None:
    async with asyncio.timeout(20):
        await store.wait([queue], worker, LONG)


@pytest.mark.parametrize("kind", ["6.2", "cluster"])
async def test_a_worker_is_woken_by_a_job_of_another_process(kind: str) -> None:
    options = servers.another_namespace()
    async with (
        servers.empty_store(kind, options) as store,
        servers.empty_store(kind, options) as other,
    ):
        await store._waker.listens.wait()
        waiting = asyncio.create_task(woken(store, "mail", "worker"))
        await asyncio.sleep(0)
        await inserted(other, a_job(queue="mail"))
        await waiting


async def test_what_is_inserted_is_told_by_the_very_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(told: str) -> None:
        raise AssertionError(told)

    options = servers.another_namespace()
    async with (
        servers.empty_store("6.2", options) as store,
        servers.empty_store("6.2", options) as other,
    ):
        await store._waker.listens.wait()
        monkeypatch.setattr(other._server, "publish", never)
        waiting = asyncio.create_task(woken(store, "mail", "worker"))
        await asyncio.sleep(0)
        await inserted(other, a_job(queue="mail"))
        await waiting


@pytest.mark.parametrize("limit_key", [None, "acme"])
async def test_what_a_tick_makes_is_told_by_the_very_script(
    monkeypatch: pytest.MonkeyPatch, limit_key: str | None
) -> None:
    async def never(told: str) -> None:
        raise AssertionError(told)

    options = replace(servers.another_namespace(), partitions=5)
    async with (
        servers.empty_store("6.2", options) as store,
        servers.empty_store("6.2", options) as other,
    ):
        await store._waker.listens.wait()
        monkeypatch.setattr(other._server, "publish", never)
        waiting = asyncio.create_task(woken(store, "mail", "worker"))
        await asyncio.sleep(0)
        now = (await other.due_schedules(1)).now
        job = a_job(queue="mail", due_at=now, limit_key=limit_key)
        job = job.named(other.new_id(job, Tick("nightly", now)))
        told = ScheduleRecord(name="nightly", revision="1", data=b"")
        await other.fire(told, None, [job])
        await waiting


async def test_what_is_inserted_right_afterwards_is_told_a_little_later() -> None:
    options = servers.another_namespace()
    async with (
        servers.empty_store("6.2", options) as store,
        servers.empty_store("6.2", options) as other,
    ):
        await store._waker.listens.wait()
        waiting = asyncio.create_task(woken(store, "late", "worker"))
        await asyncio.sleep(0)
        await inserted(other, a_job(queue="mail"))
        await inserted(other, a_job(queue="late"))
        await waiting


async def test_a_worker_is_woken_by_a_request_to_cancel_its_job() -> None:
    options = servers.another_namespace()
    async with (
        servers.empty_store("6.2", options) as store,
        servers.empty_store("6.2", options) as other,
    ):
        await store._waker.listens.wait()
        claim = await a_claim(other)
        waiting = asyncio.create_task(
            woken(store, "absent", claim.job.worker or "nobody")
        )
        await asyncio.sleep(0)
        await other.apply([cancel(claim.job, a_token())])
        await waiting


async def test_a_worker_is_not_woken_by_jobs_of_other_queues() -> None:
    async with servers.empty_store("6.2") as store:
        await store._waker.listens.wait()
        waiting = asyncio.create_task(
            store.wait(["mail"], "worker", timedelta(seconds=0.2))
        )
        await inserted(store, a_job(queue="other"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await waiting


async def test_a_listener_that_was_cut_off_listens_again(alone: RedisServer) -> None:
    async with RedisJobStore(alone.url) as store:
        await store._waker.listens.wait()
        alone.kill()
        alone.start()
        await woken(store, "mail", "worker")


async def test_a_listener_whose_connection_fell_silent_listens_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "_SILENT", timedelta(seconds=0.05))
    port = urlsplit(servers.url("6.2")).port or 0
    async with (
        Proxy(port, RedisTalk()) as proxy,
        RedisJobStore(
            proxy.way_to(servers.url("6.2")), servers.another_namespace()
        ) as store,
    ):
        await store._waker.listens.wait()
        proxy.silent = True
        await proxy.has_lost.wait()
        proxy.silent = False
        await woken(store, "mail", "worker")


async def test_a_listener_goes_on_when_its_connection_is_closed_under_the_driver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hear, is_closed = PubSub.get_message, True

    async def get_message(*told: Any, **more: Any) -> Any:
        nonlocal is_closed
        if is_closed:
            is_closed = False
            problem = "'NoneType' object has no attribute 'writelines'"
            raise AttributeError(problem)
        return await hear(*told, **more)

    async with servers.empty_store("6.2") as store:
        await store._waker.listens.wait()
        monkeypatch.setattr(PubSub, "get_message", get_message)
        await store._server.publish("a message, as it waits for one")
        await woken(store, "mail", "worker")


async def test_a_listener_that_hears_nothing_goes_on_while_it_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "_SILENT", timedelta(seconds=0.01))
    async with servers.empty_store("6.2") as store:
        await store._waker.listens.wait()
        waiting = store.wait(["mail"], "worker", timedelta(seconds=0.5))
        began_at = asyncio.get_running_loop().time()
        await waiting
        assert asyncio.get_running_loop().time() - began_at >= 0.5
