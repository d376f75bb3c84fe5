"""What SQLite does for the statements that must stay cheap: no scan, no sorting."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from jobcore import ScheduleRecord
from jobcore.job import JobStatus, Limit, NewJob
from jobcore.lifecycle import complete
from jobcore.query import Filter
from jobcore.testing import a_job, a_request, named, pass_time
from jobcore_sql import SQLJobStore

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Whatever SQLite runs, with its values."""
    seen: list[str] = []

    def trace(connection: sqlite3.Connection, _: object) -> None:
        connection.set_trace_callback(seen.append)

    event.listen(Engine, "connect", trace)
    try:
        yield seen
    finally:
        event.remove(Engine, "connect", trace)


def plans(path: Path, statements: list[str]) -> Iterator[str]:
    """How SQLite goes about each of *statements*."""
    with closing(sqlite3.connect(path)) as connection:
        for each in dict.fromkeys(statements):
            if not each.startswith(("BEGIN", "COMMIT", "PRAGMA")):
                for row in connection.execute(f"EXPLAIN QUERY PLAN {each}"):
                    yield f"{row[3]} <- {each}"


async def claim(store: SQLJobStore) -> None:
    await store.claim(a_request(queues=("a", "b"), limit=5))


async def claim_past_the_held(store: SQLJobStore) -> None:
    await store.limit("key", Limit(concurrency=1))
    result = await store.claim(a_request(queues=("limited",), limit=3))
    assert result.held


async def end(store: SQLJobStore) -> None:
    result = await store.claim(a_request(queues=("a",), limit=5))
    await store.apply([complete(each, b"1") for each in result.claims])


async def renew(store: SQLJobStore) -> None:
    result = await store.claim(a_request(queues=("a",), limit=5))
    await store.renew(result.claims, HOUR)


async def expired(store: SQLJobStore) -> None:
    await store.expired(10)


async def promote(store: SQLJobStore) -> None:
    pass_time(store, 2 * HOUR)
    assert (await store.promote(10)).promoted


async def lift(store: SQLJobStore) -> None:
    await store.pause(task="paused")
    await store.claim(a_request(queues=("p",), limit=5))
    await store.resume(task="paused")
    assert await store.lift(None, 10)


async def prune(store: SQLJobStore) -> None:
    await end(store)
    pass_time(store, HOUR)
    done = frozenset({JobStatus.COMPLETED})
    assert await store.delete(Filter(statuses=done, finished_for=HOUR), 3)
    await store.delete(Filter(finished_for=HOUR), 3)


async def statistics(store: SQLJobStore) -> None:
    await store.statistics()


async def due_schedules(store: SQLJobStore) -> None:
    pass_time(store, 2 * HOUR)
    assert len((await store.due_schedules(10)).schedules) == 10


async def no_due_schedules(store: SQLJobStore) -> None:
    assert not (await store.due_schedules(10)).schedules


async def fire(store: SQLJobStore) -> None:
    (there,) = await store.schedules(["schedule-7"])
    assert await store.fire(there, "1", [named(store, a_job())])


async def find_by_label(store: SQLJobStore) -> None:
    page = await store.find(Filter(labels={"colour": "red"}), None, 10)
    assert page.jobs


async def ahead(store: SQLJobStore) -> None:
    last = named(store, a_job(queue="a", priority=2))
    await store.insert([last])
    assert await store.ahead(last.id, 10) == 10


async def limited(store: SQLJobStore) -> None:
    await store.claim(a_request(queues=("limited",), limit=3))
    assert (await store.limited("key", 10)).running


ACTS = [
    (claim, "jobs_queued"),
    (claim_past_the_held, "jobs_limited"),
    (end, "sqlite_autoindex_jobs_1"),
    (renew, "sqlite_autoindex_jobs_1"),
    (expired, "jobs_in_progress"),
    (promote, "jobs_scheduled"),
    (lift, "jobs_held"),
    (prune, "jobs_finished"),
    (statistics, "jobs_queued"),
    (due_schedules, "schedules_due"),
    (no_due_schedules, "schedules_due"),
    (fire, "sqlite_autoindex_schedules_1"),
    (find_by_label, "PRIMARY KEY"),
    (ahead, "jobs_queued (queue=? AND priority=? AND due_at=? AND id<?)"),
    (limited, "jobs_limited"),
]


def a_bit_of_all() -> list[NewJob]:
    """Jobs of all kinds."""
    limit = Limit(concurrency=2)
    return [
        *(
            a_job(queue=queue, priority=each % 3)
            for each in range(50)
            for queue in "ab"
        ),
        *(a_job(delay=HOUR) for _ in range(50)),
        *(a_job(queue="p", task="paused") for _ in range(50)),
        *(a_job(queue="limited", limit_key="key", limit=limit) for _ in range(50)),
        *(a_job(queue="c", labels={"colour": "red"}) for _ in range(50)),
    ]


async def many_schedules(store: SQLJobStore) -> None:
    """Such as are due in an hour, and such as never are; so many of these that no
    server takes reading them all for cheap."""
    due_at = (await store.due_schedules(1)).now + HOUR
    schedules = [
        ScheduleRecord(
            name=f"schedule-{each}",
            revision="1",
            data=b"{}",
            due_at=None if each % 10 else due_at,
        )
        for each in range(300)
    ]
    await asyncio.gather(*(store.fire(each, None, []) for each in schedules))


@pytest.fixture
async def full(statements: list[str], store: SQLJobStore) -> SQLJobStore:
    """A store with jobs of all kinds; *statements* are those that follow."""
    await store.insert([named(store, each) for each in a_bit_of_all()])
    await many_schedules(store)
    statements.clear()
    return store


@pytest.mark.parametrize(
    ("act", "index"), ACTS, ids=[each.__name__ for each, _ in ACTS]
)
async def test_a_verb_reads_by_its_index(
    full: SQLJobStore,
    path: Path,
    statements: list[str],
    act: Callable[[SQLJobStore], Awaitable[None]],
    index: str,
) -> None:
    await act(full)
    seen = list(plans(path, statements))
    assert any(index in each for each in seen)
    walked = [each for each in seen if each.startswith(("SCAN jobs", "SCAN schedules"))]
    assert not [each for each in walked if "USING" not in each.split(" <- ")[0]]
    assert not [each for each in walked if "LIMIT" not in each]
    assert not [each for each in seen if "USE TEMP B-TREE FOR ORDER BY" in each]
