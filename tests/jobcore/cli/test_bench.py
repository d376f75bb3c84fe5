"""Measuring a store."""

from __future__ import annotations

from jobcore import JobManager
from tests.jobcore.cli.conftest import Command
from tests.jobcore.cli.filling import fill, within


def test_measures_beside_the_jobs_that_are_there(command: Command, url: str) -> None:
    async def count(jobs: JobManager) -> int:
        return len((await jobs.find()).jobs)

    within(url, fill)
    told = command("bench", "--jobs", "50", "--store", url)
    assert (told.code, told.err) == (0, "")
    _, submitted, run = told.lines
    assert submitted[:2] == ["submit", "50"]
    assert run[:2] == ["run", "50"]
    assert all(float(row[3]) > 0 for row in (submitted, run)), "the rates"
    assert within(url, count) == 5


def test_a_number_of_jobs_is_one_at_least(command: Command) -> None:
    assert command("bench", "--jobs", "0", "--store", "memory://").code == 2
