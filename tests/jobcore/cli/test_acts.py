"""Acts on jobs: what they mean, when they ask, and what they tell."""

from __future__ import annotations

import io
import logging
from collections import Counter
from getpass import getuser

import pytest

from jobcore import Job, JobManager, JobRequest, JobStatus
from tests.jobcore.cli.conftest import Command
from tests.jobcore.cli.filling import Filled, fill, within


def job(url: str, job_id: str) -> Job[object]:
    async def get(jobs: JobManager) -> Job[object]:
        return await jobs.get(job_id)

    return within(url, get)


def statuses(url: str) -> Counter[str]:
    async def find(jobs: JobManager) -> Counter[str]:
        return Counter(each.status.value for each in (await jobs.find()).jobs)

    return within(url, find)


@pytest.fixture
def filled(url: str) -> Filled:
    return within(url, fill)


def test_jobs_are_named_by_their_ids(
    command: Command, url: str, filled: Filled
) -> None:
    told = command("cancel", filled.queued, filled.held, "--store", url)
    assert (told.code, told.out, told.err) == (0, "cancel: 2 of 2 jobs\n", "")
    assert job(url, filled.held).status is JobStatus.CANCELED
    assert job(url, filled.scheduled).status is JobStatus.SCHEDULED


def test_what_a_job_does_not_allow_is_told(
    command: Command, url: str, filled: Filled
) -> None:
    told = command("cancel", filled.queued, filled.failed, "--store", url)
    assert (told.code, told.out) == (1, "cancel: 1 of 2 jobs\n")
    assert told.err == "the others do not allow it, as they are now\n"


def test_nothing_is_done_where_one_of_the_ids_is_wrong(
    command: Command, url: str, filled: Filled
) -> None:
    told = command("cancel", filled.queued, "none", "--store", url)
    assert (told.code, told.err) == (2, "jobcore: there is no job none\n")
    assert job(url, filled.queued).status is JobStatus.QUEUED


def test_jobs_that_match_are_retried(
    command: Command, url: str, filled: Filled
) -> None:
    options = ("--status", "failed", "--arguments", '{"to": "ada@example.org"}')
    told = command("retry", *options, "--yes", "--store", url)
    assert (told.code, told.out) == (0, "retry: 1 of 1 job\n")
    after = job(url, filled.failed)
    assert (after.status, after.generation) == (JobStatus.QUEUED, 1)
    assert after.arguments == {"to": "ada@example.org"}


@pytest.mark.parametrize(("name", "number"), [("high", -100), ("7", 7), ("-7", -7)])
def test_jobs_are_moved(
    command: Command, url: str, filled: Filled, name: str, number: int
) -> None:
    options = ("--to", "mail", f"--priority={name}")
    told = command("move", filled.queued, *options, "--store", url)
    assert (told.code, told.out) == (0, "move: 1 of 1 job\n")
    after = job(url, filled.queued)
    assert (after.queue, after.priority) == ("mail", number)


def test_jobs_are_approved(command: Command, url: str, filled: Filled) -> None:
    told = command("approve", "--status", "held", "--yes", "--store", url)
    assert (told.code, told.out) == (0, "approve: 1 of 1 job\n")
    assert job(url, filled.held).status is not JobStatus.HELD


def test_jobs_are_deleted(command: Command, url: str) -> None:
    within(url, fill)
    told = command("delete", "--queue", "mail", "--yes", "--store", url)
    assert (told.code, told.out) == (0, "delete: 2 of 2 jobs\n")
    assert statuses(url) == {"queued": 1, "held": 1, "scheduled": 1}
    told = command("delete", "--all", "--yes", "--store", url)
    assert (told.code, told.out) == (0, "delete: 3 of 3 jobs\n")
    assert command("delete", "--all", "--store", url).out == "delete: 0 of 0 jobs\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_people_are_asked_before_jobs_that_match_are_changed(
    command: Command, url: str, filled: Filled, answer: str
) -> None:
    told = command("cancel", "--task", "nap", "--store", url, said=Terminal(answer))
    assert (told.code, told.out) == (0, "cancel: 3 of 3 jobs\n")
    assert told.err == "cancel 3 jobs? [y/N] "
    assert job(url, filled.queued).status is JobStatus.CANCELED


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_consent_nothing_is_done(
    command: Command, url: str, filled: Filled, answer: str
) -> None:
    told = command("cancel", "--task", "nap", "--store", url, said=Terminal(answer))
    assert (told.code, told.out) == (1, "")
    assert told.err == "cancel 3 jobs? [y/N] nothing was done\n"
    assert job(url, filled.queued).status is JobStatus.QUEUED


def test_where_nobody_can_be_asked_consent_is_to_be_given(
    command: Command, url: str, filled: Filled
) -> None:
    told = command("cancel", "--task", "nap", "--store", url)
    assert (told.code, told.out) == (2, "")
    assert told.err == "jobcore: --yes is needed to cancel 3 jobs unasked\n"
    assert job(url, filled.queued).status is JobStatus.QUEUED


def test_who_does_it_is_logged(
    command: Command, url: str, filled: Filled, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "jobcore.operator")
    command("cancel", filled.queued, "--store", url)
    command("cancel", filled.held, "--actor", "ada", "--store", url)
    assert f"cancel: 1 jobs by {getuser()}" in caplog.text
    assert "cancel: 1 jobs by ada" in caplog.text


def test_long_work_tells_how_far_it_is(
    command: Command, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def submit(jobs: JobManager) -> None:
        await jobs.submit_many([JobRequest("nap")] * 120)

    within(url, submit)
    monkeypatch.setattr("jobcore.cli.acting._BETWEEN_LINES", 0)
    told = command("cancel", "--all", "--yes", "--store", url)
    assert told.err.splitlines() == [
        f"cancel: {done} of 120 jobs so far" for done in range(10, 130, 10)
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cancel"], "which jobs? Name ids, or a filter, or say --all"),
        (["move", "--all"], "--to or --priority must be given"),
        (["move", "--all", "--priority", "soon"], '"soon"'),
        (["retry", "--all", "--arguments", "{"], "--arguments cannot be read"),
        (["retry", "--all", "--arguments", "[]"], "--arguments must be a JSON object"),
        (["delete", "--all", "--task"], "--task"),
    ],
)
def test_what_makes_no_sense_is_a_mistake(
    command: Command, url: str, arguments: list[str], sentence: str
) -> None:
    told = command(*arguments, "--store", url)
    assert (told.code, told.out) == (2, "")
    assert sentence in told.err
