"""Each tick makes one job, whoever looks, and whatever their clocks show."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from jobcore import (
    Cron,
    DefaultJobManager,
    Every,
    Filter,
    JobRequest,
    JobStore,
    Misfire,
    Overlap,
    store_from_url,
)
from tests.acceptance.stores import url

pytestmark = pytest.mark.anyio

__all__ = ["url"]

HOUR = timedelta(hours=1)
CLOCKS = (-1, -1, 0, 1, 1)
"""By how many hours the clocks of five managers are off; some agree, and race."""
RULES = (
    Every(HOUR, misfire=Misfire.ALL),
    Every(HOUR, misfire=Misfire.ALL, jitter=HOUR),
    Every(HOUR, misfire=Misfire.ALL, overlap=Overlap.WAIT),
    Cron("30 * * * *", "America/New_York", misfire=Misfire.ALL),
)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("schedules", "ticks"), [(4, 20), pytest.param(20, 1000, marks=pytest.mark.soak)]
)
async def test_five_managers_make_one_job_for_each_tick(
    url: str, schedules: int, ticks: int
) -> None:
    async with AsyncExitStack() as stack:
        stores: list[JobStore] = []
        managers: list[DefaultJobManager] = []
        for _ in CLOCKS:
            store = await stack.enter_async_context(store_from_url(url))
            managers.append(await stack.enter_async_context(DefaultJobManager(store)))
            stores.append(store)
        names = [f"schedule-{number}" for number in range(schedules)]
        for number, name in enumerate(names):
            rule = RULES[number % len(RULES)]
            await managers[0].schedule(name, JobRequest("noop"), rule)
        fired = 0
        for hour in range(ticks - 1):
            for store, off in zip(stores, CLOCKS, strict=True):
                store.offset = (hour + off) * HOUR
            made = await asyncio.gather(
                *(each.fire_due_schedules() for each in managers)
            )
            fired += sum(each.jobs for each in made)
        made_for = Counter[tuple[str, str]]()
        for name in names:
            made_for += await ticks_of(managers[0], name)
        kept = await managers[0].schedules()
    assert set(made_for.values()) == {1}, "no tick made two jobs"
    runs = Counter(name for name, _ in made_for)
    assert runs == {each.name: each.runs for each in kept}
    assert min(runs.values()) >= ticks - 2, "and none was left out"
    assert fired == made_for.total()


async def ticks_of(jobs: DefaultJobManager, name: str) -> Counter[tuple[str, str]]:
    """How many jobs each tick of a schedule has."""
    made_for = Counter[tuple[str, str]]()
    cursor: str | None = None
    while True:
        wanted = Filter(labels={"schedule": name})
        page = await jobs.find(wanted, cursor=cursor, limit=1000)
        made_for.update((name, job.labels["tick"]) for job in page.jobs)
        cursor = page.cursor
        if cursor is None:
            return made_for
