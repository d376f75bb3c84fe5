"""Showing one job."""

from __future__ import annotations

import json
from dataclasses import fields

from jobcore import JobManager
from tests.jobcore.cli.conftest import Command
from tests.jobcore.cli.filling import fill, send, within


def test_shows_state_attempts_progress_and_log(command: Command, any_url: str) -> None:
    filled = within(any_url, fill)
    told = command("show", filled.completed, "--store", any_url)
    assert (told.code, told.err) == (0, "")
    lines = told.lines
    facts = {line[0]: line[1] for line in lines if len(line) == 2}
    assert facts["job"] == filled.completed
    assert facts["status"] == "completed"
    assert facts["arguments"] == '{"to":"ada@example.org"}'
    assert facts["result"] == '"sent to ada@example.org"'
    assert facts["progress"] == "40% page 4"
    assert "error" not in facts
    (attempt,) = [line for line in lines if line[:2] == ["1", "succeeded"]]
    assert attempt[-1] == "-"
    assert ["1", "half of it"] in lines


def test_shows_errors_and_where_they_come_from(command: Command, any_url: str) -> None:
    filled = within(any_url, fill)
    told = command("show", filled.failed, "--store", any_url)
    assert "error    \tNoAddressError: nobody\n" in told.out
    assert "  raise NoAddressError(to)\n" in told.out
    (attempt,) = [line for line in told.lines if line[:2] == ["1", "failed"]]
    assert attempt[-1] == "NoAddressError: nobody"


def test_shows_what_operators_did(command: Command, any_url: str) -> None:
    filled = within(any_url, fill)
    acts = (("approve", "ada"), ("cancel", "bob"))
    for verb, actor in acts:
        command(verb, filled.held, "--actor", actor, "--store", any_url)
    lines = command("show", filled.held, "--store", any_url).lines
    assert lines[-2:] == [["0", verb, actor] for verb, actor in acts]


def test_shows_why_a_job_is_where_it_is(command: Command, any_url: str) -> None:
    filled = within(any_url, fill)

    async def explain(jobs: JobManager) -> dict[str, str]:
        ids = [getattr(filled, each.name) for each in fields(filled)]
        return {each: (await jobs.explain(each)).sentence for each in ids}

    for job_id, sentence in within(any_url, explain).items():
        told = command("show", job_id, "--store", any_url)
        assert ["why", sentence] in told.lines


def test_shows_a_job_as_json(command: Command, url: str) -> None:
    filled = within(url, fill)
    told = json.loads(command("show", filled.failed, "--json", "--store", url).out)
    (attempt,) = told["attempts"]
    assert attempt["outcome"] == "failed"
    assert attempt["error"]["type"] == "NoAddressError"
    assert told["cause"] == "failed"
    assert told["sentence"].startswith("It failed at ")


def test_what_would_move_a_terminal_is_shown_harmlessly(
    command: Command, url: str
) -> None:
    async def submit(jobs: JobManager) -> str:
        return (await jobs.submit(send.job("\x1b[2J\u202e"))).id

    told = command("show", within(url, submit), "--store", url)
    assert told.out.replace("\n", "").replace("\t", "").isprintable()


def test_a_job_that_is_not_there_is_a_mistake(command: Command, url: str) -> None:
    for wrong in ("01a21f49", "nö"):
        told = command("show", wrong, "--store", url)
        assert (told.code, told.out) == (2, "")
        assert told.err == f"jobcore: there is no job {wrong}\n"
