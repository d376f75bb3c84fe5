"""What is not where it should be is found, in both directions, and mended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from jobcore import ScheduleRecord
from jobcore.lifecycle import complete
from jobcore.testing import a_claim, a_job, inserted
from jobcore_redis import RedisJobStore
from tests.jobcore_redis import servers

pytestmark = pytest.mark.anyio

HELD = "task:send\t"


@pytest.fixture
async def store() -> AsyncIterator[RedisJobStore]:
    async with servers.empty_store("6.2") as store:
        claim = await a_claim(store, limit_key="acme")
        await store.apply([complete(await a_claim(store, queue="done"), b"1")])
        await store.pause(task="send")
        await inserted(store, a_job(task="send", queue="held"), a_job(unique_key="k"))
        await store.claim(servers.a_request_of("held"))
        await inserted(store, a_job(delay=servers.HOUR))
        assert claim.job.id
        due_at = (await store.due_schedules(1)).now
        told = ScheduleRecord(name="nightly", revision="1", data=b"", due_at=due_at)
        await store.fire(told, None, [])
        assert (await store.verify()).sound
        yield store


def command(store: RedisJobStore, verb: str, name: str, *rest: object) -> object:
    key = store._server.partitions.all[0].key(name)
    return servers.run(servers.url("6.2"), verb, key, *rest)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("queued", "queued"),
        ("scheduled", "scheduled"),
        ("held", "held"),
        ("finished", "completed"),
        ("limited", "in_progress"),
        ("leases", "lease"),
        ("ids", "ids"),
        ("unique", "unique_key"),
        ("ticks", "tick"),
        ("counts", "counts"),
    ],
)
async def test_what_is_missing_is_found_and_mended(
    store: RedisJobStore, kind: str, rule: str
) -> None:
    command(store, "DEL", kind)
    assert rule in (await store.verify()).findings
    assert rule in (await store.repair()).findings
    assert (await store.verify()).findings == {}


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("queued", (0, "mail\t327680000000000000000strange")),
        ("scheduled", (0, "0000000000000000strange")),
        ("held", (0, "task:x\t327680000000000000000strange")),
        ("finished", (0, "failed\t0000000000000000strange")),
        ("limited", (0, "acme\tstrange")),
        ("leases", (0, "strange")),
        ("ids", (0, "strange")),
        ("results", ("strange", "1")),
        ("errors", ("strange", "1")),
        ("extras", ("strange", "1")),
        ("attempts", ("strange", "1")),
        ("states", ("strange", "1")),
    ],
)
async def test_what_is_too_much_is_found_and_mended(
    store: RedisJobStore, kind: str, entry: Sequence[object]
) -> None:
    verb = "ZADD" if isinstance(entry[0], int) else "HSET"
    command(store, verb, kind, *entry)
    found = (await store.verify()).findings
    assert found == {f"stray_{kind}": ("job strange",)}
    assert (await store.repair()).findings == found
    assert (await store.verify()).findings == {}


@pytest.mark.parametrize("name", ["nightly", "strange"])
async def test_a_tick_that_is_too_much_is_found_and_mended(
    store: RedisJobStore, name: str
) -> None:
    command(store, "ZADD", "ticks", 0, f"{0:016}{name}")
    found = (await store.verify()).findings
    assert found == {"stray_ticks": (f"schedule {name}",)}
    assert (await store.repair()).findings == found
    assert (await store.verify()).findings == {}
    assert len((await store.due_schedules(9)).schedules) == 1
