"""On every store a manager finds what is wrong, and nothing where all is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobcore import (
    Cron,
    DefaultJobManager,
    Every,
    Finding,
    InMemoryJobStore,
    JobcoreConfig,
    Verifiable,
    Verification,
    WorkerRecord,
    examining,
)
from jobcore.testing import pass_time
from jobcore.wrappers import StoreWrapper
from tests.acceptance.empty import KINDS, empty_store
from tests.acceptance.situations import HOUR, SEND, Place

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


class Unsound(StoreWrapper, Verifiable):
    """A store that is in pieces."""

    async def verify(self) -> Verification:
        return Verification({"counts": ("9 are counted, 8 are there", "another")})


@pytest.fixture(params=KINDS)
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    # How fast a machine is that runs other tests as well says nothing.
    monkeypatch.setattr(examining, "_SLOW", timedelta(seconds=9))
    async with (
        empty_store(request.param, tmp_path) as store,
        DefaultJobManager(store, JobcoreConfig()) as jobs,
    ):
        yield Place(store, jobs)


async def examined(place: Place, *, thoroughly: bool = False) -> list[Finding]:
    """What is found but for what is so of a server that all tests share: it flushes
    nothing to its disk, and has the dead rows of other tests."""
    found = await place.jobs.examine(thoroughly=thoroughly)
    return [each for each in found if each.code not in {"may_be_damaged", "bloat"}]


async def a_clock_ahead(place: Place) -> None:
    pass_time(place.store, MINUTE)


async def a_clock_behind(place: Place) -> None:
    pass_time(place.store, -MINUTE)


async def an_orphaned_schedule(place: Place) -> None:
    await place.jobs.schedule("nightly", SEND, Cron("0 3 * * *"))
    await place.works(task="receive")


async def a_late_schedule(place: Place) -> None:
    await place.jobs.schedule("hourly", SEND, Every(HOUR))
    pass_time(place.store, HOUR + 2 * MINUTE)


async def a_queue_without_worker(place: Place) -> None:
    await place.submitted()
    await place.jobs.seen(WorkerRecord(id="w", queues=("other",), tasks=("send",)))


async def a_task_without_worker(place: Place) -> None:
    await place.works(task="receive")
    await place.submitted()


async def stale_claims(place: Place) -> None:
    await place.submitted()
    assert await place.claimed()
    pass_time(place.store, HOUR)


async def jobs_not_promoted(place: Place) -> None:
    await place.works()
    await place.submitted(delay=MINUTE)
    pass_time(place.store, MINUTE + timedelta(seconds=30))


FAULTS: list[tuple[Callable[[Place], Awaitable[Any]], str, str]] = [
    (a_clock_ahead, "clock_skew", "60.0 s apart; the store's is ahead"),
    (a_clock_behind, "clock_skew", "60.0 s apart; the host's is ahead"),
    (an_orphaned_schedule, "orphaned_schedule", "Schedule nightly makes no jobs"),
    (a_late_schedule, "late_schedule", "Schedule hourly should have made a job at"),
    (
        a_queue_without_worker,
        "queue_without_worker",
        "No live worker asks for queue mail, where jobs wait: 1.",
    ),
    (a_task_without_worker, "task_without_worker", "Jobs of task send, such as"),
    (
        stale_claims,
        "stale_claims",
        "nobody has released the claims: 1, such as that of",
    ),
    (jobs_not_promoted, "not_promoted", "Scheduled jobs are due since"),
]


@pytest.mark.parametrize(
    ("plant", "code", "words"), FAULTS, ids=[each[0].__name__ for each in FAULTS]
)
async def test_a_fault_is_found(
    place: Place,
    plant: Callable[[Place], Awaitable[Any]],
    code: str,
    words: str,
) -> None:
    await plant(place)
    found = {each.code: each.sentence for each in await examined(place)}
    shifted = {"clock_skew"} if place.store.offset else set()
    assert found.keys() - shifted == {code} - shifted
    assert words in found[code]


async def test_nothing_is_found_where_all_is_well(place: Place) -> None:
    await place.works()
    rule = Every(HOUR)
    await place.jobs.schedule("nightly", SEND, rule)
    await place.submitted()
    await place.submitted(delay=HOUR)
    await place.submitted(approval=True)
    await place.submitted(queue="paused")
    await place.jobs.pause(queue="paused")
    assert await place.claimed()
    found = await examined(place, thoroughly=True)
    assert [each.sentence for each in found] == []


async def test_what_is_in_pieces_is_found_where_all_is_read() -> None:
    async with Unsound(InMemoryJobStore()) as store, DefaultJobManager(store) as jobs:
        assert await jobs.examine() == []
        (finding,) = await jobs.examine(thoroughly=True)
    assert finding.code == "unsound"
    assert "(counts, 2 times): 9 are counted, 8 are there." in finding.sentence
