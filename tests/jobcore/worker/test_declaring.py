"""Schedules that tasks declare are there when a worker runs, as long as they say so."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from jobcore import (
    Cron,
    DefaultJobManager,
    Every,
    InvalidJobError,
    JobRequest,
    StoreUnavailableError,
    Tasks,
    UnsupportedError,
    Worker,
)
from jobcore.worker.declaring import declare
from tests.jobcore.faults import PlainStore
from tests.jobcore.worker.conftest import QUICK, Host, until

pytestmark = pytest.mark.anyio

HOURLY = Every(timedelta(hours=1))


async def work(name: str = "Ada") -> str:
    return name


def tasks(**options: Every | Cron) -> Tasks:
    """Two tasks, of which *options* says what they declare."""
    made = Tasks()
    for name in ("poll", "send"):
        if name in options:
            made.task(name=name, queue="mail", schedule=options[name])(work)
        else:
            made.task(name=name, queue="mail")(work)
    return made


async def names(host: Host) -> list[str]:
    return [each.name for each in await host.jobs.schedules()]


async def is_seen(host: Host) -> bool:
    return bool(await host.jobs.workers())


async def test_a_declared_schedule_is_there_and_fires(host: Host) -> None:
    ran = asyncio.Event()

    @host.tasks.task(schedule=Every(timedelta(seconds=1)))
    async def poll() -> None:
        ran.set()

    async with Worker(host.jobs, host.tasks):
        await ran.wait()
    (schedule,) = await host.jobs.schedules()
    assert (schedule.name, schedule.declared) == ("poll", True)
    assert schedule.runs >= 1


async def test_many_workers_make_it_once_with_what_the_task_says(host: Host) -> None:
    declared = tasks(poll=HOURLY)
    await asyncio.gather(*(declare(host.jobs, declared) for _ in range(5)))
    (schedule,) = await host.jobs.schedules()
    assert (schedule.task, schedule.options) == ("poll", {"queue": "mail"})
    await declare(host.jobs, declared)
    assert await host.jobs.schedules() == [schedule]


async def test_another_rule_takes_the_place_of_the_earlier_one(host: Host) -> None:
    await declare(host.jobs, tasks(poll=HOURLY))
    await declare(host.jobs, tasks(poll=Cron("@daily")))
    (schedule,) = await host.jobs.schedules()
    assert schedule.recurrence == Cron("@daily")


async def test_what_is_not_declared_any_more_is_removed(host: Host) -> None:
    await declare(host.jobs, tasks(poll=HOURLY, send=HOURLY))
    await host.jobs.schedule("made", JobRequest("send"), HOURLY)
    await declare(host.jobs, tasks(poll=HOURLY))
    assert await names(host) == ["made", "poll"]


async def test_what_others_declare_stays(host: Host) -> None:
    await declare(host.jobs, tasks(poll=HOURLY))
    others = Tasks()
    others.task(name="other")(work)
    await declare(host.jobs, others)
    assert await names(host) == ["poll"]


async def test_a_store_that_is_down_is_waited_for(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [StoreUnavailableError("down")]
    schedule = host.jobs.schedule

    async def fail(*arguments: object, **options: object) -> object:
        if failures:
            raise failures.pop()
        return await schedule(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(host.jobs, "schedule", fail)
    await declare(host.jobs, tasks(poll=HOURLY))
    assert await names(host) == ["poll"]


async def test_a_worker_does_not_start_on_a_store_without_schedules() -> None:
    async with PlainStore() as store, DefaultJobManager(store, QUICK) as jobs:
        await declare(jobs, tasks())
        with pytest.raises(UnsupportedError):
            await declare(jobs, tasks(poll=HOURLY))


async def test_a_task_that_needs_arguments_cannot_recur() -> None:
    made = Tasks()
    with pytest.raises(InvalidJobError, match="arguments"):

        @made.task(schedule=HOURLY)
        async def greet(name: str) -> str:
            return name

    assert "greet" not in made


async def test_a_worker_tells_of_aliases_which_schedules_may_call(host: Host) -> None:
    @host.tasks.task(aliases=["old"])
    async def new() -> None: ...

    async with Worker(host.jobs, host.tasks):
        await until(lambda: is_seen(host))
        (worker,) = await host.jobs.workers()
    assert set(worker.tasks) == {"new", "old"}
