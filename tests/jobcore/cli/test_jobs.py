"""Listing jobs."""

from __future__ import annotations

import json

import pytest

from jobcore import JobManager, JobRequest
from tests.jobcore.cli.conftest import Command
from tests.jobcore.cli.filling import fill, within


def test_lists_jobs_the_newest_first_and_says_why_they_wait(
    command: Command, any_url: str
) -> None:
    filled = within(any_url, fill)
    told = command("jobs", "--store", any_url)
    assert (told.code, told.err) == (0, "")
    heading, *rows = told.lines
    assert heading[:5] == ["ID", "STATUS", "TASK", "QUEUE", "ATTEMPT"]
    assert [row[:2] for row in rows] == [
        [filled.scheduled, "scheduled"],
        [filled.held, "held"],
        [filled.queued, "queued"],
        [filled.failed, "failed"],
        [filled.completed, "completed"],
    ]
    assert [row[-1] for row in rows] == [
        *("-", "approval", "-", "NoAddressError: nobody", "-")
    ]
    assert rows[0][6] in {"in 2 h", "in 1 h 59 min"}


@pytest.mark.parametrize(
    ("options", "statuses"),
    [
        (["--status", "failed"], ["failed"]),
        (["--status", "failed", "--status", "held"], ["held", "failed"]),
        (["--queue", "mail"], ["failed", "completed"]),
        (["--task", "nap", "--status", "queued"], ["queued"]),
        (["--label", "customer=acme"], ["queued"]),
        (["--label", "customer=acme", "--label", "size=1"], []),
        (["--finished-for", "1h"], []),
        (["--finished-for", "0s", "--queue", "mail"], ["failed", "completed"]),
        (["--since", "1h", "--status", "queued"], ["queued"]),
        (["--since", "2100-01-01"], []),
    ],
)
def test_lists_those_that_match(
    command: Command, url: str, options: list[str], statuses: list[str]
) -> None:
    within(url, fill)
    _, *rows = command("jobs", *options, "--store", url).lines
    assert [row[1] for row in rows] == statuses


def test_goes_on_where_a_list_ended(command: Command, any_url: str) -> None:
    async def submit(jobs: JobManager) -> list[str]:
        many = await jobs.submit_many([JobRequest("nap")] * 5)
        return [job.id for job in many]

    submitted = within(any_url, submit)
    seen: list[str] = []
    options: list[str] = []
    for number in (2, 2, 1):
        told = command("jobs", "--limit", "2", *options, "--store", any_url)
        rows = told.lines[1:]
        assert len(rows) == number
        seen += [row[0] for row in rows]
        options = told.err.removeprefix("there may be more: ").split()
    assert sorted(seen) == sorted(submitted)


def test_prints_lines_of_json(command: Command, url: str) -> None:
    filled = within(url, fill)
    told = command("jobs", "--queue", "mail", "--json", "--store", url)
    failed, completed = map(json.loads, told.out.splitlines())
    assert (failed["id"], failed["error"]["message"]) == (filled.failed, "nobody")
    assert completed["arguments"] == {"to": "ada@example.org"}
    assert completed["result"] == "sent to ada@example.org"
    assert completed["details"]["progress"] == {"fraction": 0.4, "message": "page 4"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--label", "acme"], "--label must be NAME=VALUE, not 'acme'"),
        (["--label", "a b=c"], "label must be"),
        (["--status", "broken"], 'Invalid value "broken" for --status'),
        (["--since", "yesterday"], '"yesterday"'),
        (["--limit", "0"], "--limit"),
        (["--cursor", "ä"], "cursor must be printable ASCII"),
    ],
)
def test_a_filter_that_makes_no_sense_is_a_mistake(
    command: Command, url: str, options: list[str], sentence: str
) -> None:
    told = command("jobs", *options, "--store", url)
    assert (told.code, told.out) == (2, "")
    assert sentence in told.err
