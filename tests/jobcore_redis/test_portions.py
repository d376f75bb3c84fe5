"""While a script runs the server does nothing else, so that what may be done in
portions is: a script is given a hundred jobs at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from jobcore import Answer, Job, lifecycle
from jobcore.testing import a_job, a_request, a_token, inserted, pass_time
from jobcore_redis import RedisJobStore
from jobcore_redis.keys import Partition
from jobcore_redis.server import Server
from tests.jobcore_redis.servers import empty_store

pytestmark = pytest.mark.anyio

JOBS = 250
HOUR = timedelta(hours=1)


@pytest.fixture
async def store() -> AsyncIterator[RedisJobStore]:
    async with empty_store("6.2") as store:
        yield store


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each script is called."""
    counted: Counter[str] = Counter()
    call = Server.call

    async def counting(
        server: Server, name: str, partition: Partition, given: Sequence[Any] = ()
    ) -> Any:
        counted[name] += 1
        return await call(server, name, partition, given)

    monkeypatch.setattr(Server, "call", counting)
    return counted


async def many(store: RedisJobStore, **fields: Any) -> list[Job]:
    return await inserted(store, *(a_job(**fields) for _ in range(JOBS)))


async def test_writes_go_in_portions(store: RedisJobStore, calls: Counter[str]) -> None:
    jobs = await many(store)
    answers = await store.apply([lifecycle.cancel(each, a_token()) for each in jobs])
    assert answers == [Answer.APPLIED] * JOBS
    assert calls["apply"] == 3


@pytest.mark.parametrize(("limit", "portions"), [(1000, 3), (150, 2), (100, 1)])
async def test_due_jobs_are_promoted_in_portions(
    store: RedisJobStore, calls: Counter[str], limit: int, portions: int
) -> None:
    await many(store, delay=HOUR)
    pass_time(store, HOUR)
    assert (await store.promote(limit)).promoted == min(limit, JOBS)
    assert calls["promote"] == portions


@pytest.mark.parametrize(("limit", "portions"), [(1000, 3), (150, 2), (100, 1)])
async def test_held_jobs_are_lifted_in_portions(
    store: RedisJobStore, calls: Counter[str], limit: int, portions: int
) -> None:
    await store.pause(task="work")
    await many(store, task="work")
    assert (await store.claim(a_request(limit=JOBS))).held == JOBS
    await store.resume(task="work")
    assert await store.lift(None, limit) == min(limit, JOBS)
    assert calls["lift"] == portions
