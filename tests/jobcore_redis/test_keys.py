"""Partitions share a cluster evenly, and a job's id tells its own."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from redis.crc import key_slot

from jobcore import Tick
from jobcore.testing import a_job
from jobcore_redis.keys import Partitions
from jobcore_redis.options import RedisOptions
from tests.jobcore_redis import servers

MASTERS = 3
SLOTS = 16384


@pytest.mark.parametrize("number", [12, 48])
def test_each_master_has_as_many_partitions(number: int) -> None:
    partitions = Partitions(RedisOptions(), number).all
    slots = [key_slot(each.key("jobs").encode()) for each in partitions]
    assert set(Counter(slot * MASTERS // SLOTS for slot in slots).values()) == {
        number // MASTERS
    }


def test_all_keys_of_a_partition_lie_in_one_slot() -> None:
    for partition in Partitions(RedisOptions(), 5).all:
        names = ("jobs", "states", "queued", "counts", "workers", "schedules", "ticks")
        assert len({key_slot(partition.key(name).encode()) for name in names}) == 1


def test_jobs_of_a_limit_key_or_unique_key_lie_together() -> None:
    partitions = Partitions(RedisOptions(), 12)
    for job in (a_job(limit_key="acme"), a_job(unique_key="order 7")):
        ids = [partitions.named(f"id{n}", job, None) for n in range(50)]
        assert len({partitions.of(each) for each in ids}) == 1
    ids = [partitions.named(f"id{n}", a_job(), None) for n in range(500)]
    assert len({partitions.of(each) for each in ids}) == 12


def test_jobs_of_ticks_lie_with_their_schedule() -> None:
    partitions = Partitions(RedisOptions(), 12)
    for name in ("nightly", "hourly", "weekly"):
        tick = Tick(name, datetime(2026, 1, 1, tzinfo=UTC))
        for job in (a_job(), a_job(limit_key=f"schedule:{name}")):
            lies_in = partitions.of(partitions.named("id", job, tick))
            assert lies_in is partitions.of_schedule(name)


@pytest.mark.parametrize("strange", ["", "id", "id.", "id.12", "id.-1", "id.x", "."])
def test_a_strange_id_lies_nowhere(strange: str) -> None:
    assert Partitions(RedisOptions(), 12).of(strange) is None


@pytest.mark.anyio
async def test_namespaces_do_not_see_each_other() -> None:
    options = [
        RedisOptions(prefix=servers.OPTIONS.prefix, namespace=name)
        for name in ("mail", "mail-2", "mai")
    ]
    async with (
        servers.empty_store("6.2", options[0]) as one,
        servers.empty_store("6.2", options[1]) as two,
        servers.empty_store("6.2", options[2]) as three,
    ):
        await one.insert([a_job(id="only-here")])
        assert await one.get(["only-here"]) != [None]
        assert await two.get(["only-here"]) == await three.get(["only-here"]) == [None]
        assert not (await two.statistics()).queues
