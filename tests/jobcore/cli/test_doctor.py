"""Examining a store."""

from __future__ import annotations

import pytest

from jobcore import DefaultJobManager, Severity
from jobcore.finding import Fault, Finding
from tests.jobcore.cli.conftest import Command
from tests.jobcore.cli.filling import fill, within


def test_finds_nothing_where_nothing_is_wrong(command: Command, url: str) -> None:
    for options in ([], ["--thoroughly"]):
        told = command("doctor", *options, "--store", url)
        assert (told.code, told.out, told.err) == (0, "nothing is wrong\n", "")


def test_a_problem_is_told_with_what_to_do(command: Command, any_url: str) -> None:
    within(any_url, fill)
    told = command("doctor", "--store", any_url)
    assert told.code == 1
    (row,) = [row for row in told.lines if row[1] == "queue_without_worker"]
    assert row[0] == "problem"
    assert "queue default" in row[2]
    assert row[3].startswith("Start a worker")


def test_advice_alone_is_no_problem(
    command: Command, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def examine(_: object, *, thoroughly: bool) -> list[Finding]:
        assert thoroughly
        advice = Fault(
            code="slow",
            severity=Severity.ADVICE,
            sentence="It is slow.",
            remedy="Wait.",
        )
        return [Finding(advice)]

    monkeypatch.setattr(DefaultJobManager, "examine", examine)
    told = command("doctor", "--thoroughly", "--store", url)
    assert told.code == 0
    assert told.lines[1] == ["advice", "slow", "It is slow.", "Wait."]


def test_a_store_that_does_not_answer_is_said_to(command: Command) -> None:
    told = command("doctor", "--store", "redis://127.0.0.1:1")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("jobcore: the store is unavailable: ")
