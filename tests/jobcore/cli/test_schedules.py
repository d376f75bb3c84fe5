"""Listing schedules, and triggering one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobcore import Cron, Every, Job, JobManager, JobRequest
from tests.jobcore.cli.conftest import Command
from tests.jobcore.cli.filling import within


async def schedule(jobs: JobManager) -> None:
    later = datetime(2150, 1, 1, tzinfo=UTC)
    request: JobRequest[None] = JobRequest("report", {"region": "Bavaria"})
    nightly = Cron("0 3 * * *", "Europe/Berlin", start_at=later)
    await jobs.schedule("nightly", request, nightly)
    hourly = Every(timedelta(hours=6), start_at=later, max_runs=2)
    await jobs.schedule("often", request, hourly)
    await jobs.schedule("never", request, hourly)
    await jobs.pause(schedule="never")


def test_lists_schedules_with_their_next_ticks(command: Command, any_url: str) -> None:
    within(any_url, schedule)
    told = command("schedules", "--next", "3", "--store", any_url)
    assert (told.code, told.err) == (0, "")
    _, *rows = told.lines
    assert rows == [
        [
            *("never", "report", "every 6 h", "paused", "0", "-"),
            "-",
        ],
        [
            *("nightly", "report", "0 3 * * * Europe/Berlin", "waits", "0", "-"),
            "2150-01-01 02:00:00Z, 2150-01-02 02:00:00Z, 2150-01-03 02:00:00Z",
        ],
        [
            *("often", "report", "every 6 h", "waits", "0", "-"),
            "2150-01-01 00:00:00Z, 2150-01-01 06:00:00Z",
        ],
    ]


def test_triggers_a_schedule_once_for_each_key(command: Command, url: str) -> None:
    async def find(jobs: JobManager) -> list[Job[object]]:
        return list((await jobs.find()).jobs)

    within(url, schedule)
    once = ("trigger", "nightly", "--key", "ada", "--store", url)
    told = [command(*once) for _ in range(2)]
    (job,) = within(url, find)
    assert [(each.code, each.out) for each in told] == [(0, f"{job.id}\n")] * 2
    assert (job.task, job.arguments) == ("report", {"region": "Bavaria"})


def test_a_schedule_that_is_not_there_is_a_mistake(command: Command, url: str) -> None:
    told = command("trigger", "nightly", "--store", url)
    assert (told.code, told.err) == (2, "jobcore: there is no schedule 'nightly'\n")
