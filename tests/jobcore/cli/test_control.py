"""Pausing, and going on."""

from __future__ import annotations

import pytest

from jobcore import JobManager
from tests.jobcore.cli.conftest import Command
from tests.jobcore.cli.filling import fill, within


@pytest.mark.parametrize(("kind", "name"), [("queue", "default"), ("task", "nap")])
def test_what_is_paused_is_not_started_until_it_is_resumed(
    command: Command, url: str, kind: str, name: str
) -> None:
    async def claim(jobs: JobManager) -> int:
        return len((await jobs.claim("w-1", ["default"], 9)).claims)

    within(url, fill)
    told = command("pause", f"--{kind}", name, "--store", url)
    assert (told.code, told.out, told.err) == (0, f"pause: {kind} {name}\n", "")
    assert within(url, claim) == 0
    told = command("resume", f"--{kind}", name, "--store", url)
    assert (told.code, told.out, told.err) == (0, f"resume: {kind} {name}\n", "")
    assert within(url, claim) == 1


@pytest.mark.parametrize("act", ["pause", "resume"])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "queue, task or schedule must be named"),
        (["--queue", "a b"], "queue must be"),
        (["--schedule", "nightly"], "there is no schedule 'nightly'"),
    ],
)
def test_what_is_not_there_cannot_be_paused(
    command: Command, url: str, act: str, options: list[str], sentence: str
) -> None:
    told = command(act, *options, "--store", url)
    assert (told.code, told.out) == (2, "")
    assert sentence in told.err
