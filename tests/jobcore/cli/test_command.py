"""Errors and exit codes of the command, whatever it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobcore.cli.conftest import Command


def test_without_arguments_it_says_what_it_can(command: Command) -> None:
    told = command()
    assert (told.code, told.err) == (0, "")
    assert "worker: Run the jobs" in told.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["wurker"], 'Unknown command "wurker"'),
        (["worker"], "TARGET"),
        (["worker", "a:b", "--concurency", "1"], "Did you mean --concurrency?"),
        (["worker", "a:b"], "no store is named: say --store URL"),
        (["worker", "a:b", "--store", "oracle://"], "there is no module 'a'"),
        (["worker", "a:b", "--concurrency", "0"], "Must be >= 1"),
        (["worker", "json:dumps", "--store", "memory://"], "cannot be called so"),
    ],
)
def test_a_mistake_is_answered_by_a_sentence(
    command: Command, arguments: list[str], sentence: str
) -> None:
    told = command(*arguments)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("jobcore: ")
    assert sentence in told.err
    assert told.err.count("\n") == 1


def test_settings_that_cannot_be_read_are_named(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jobcore.toml").write_text("store_url = ")
    assert "jobcore.toml cannot be read" in command("worker", "a:b").err
    (tmp_path / "jobcore.toml").write_text('store_url = "memory://"\nno_such = 1')
    assert "setting no_such:" in command("worker", "a:b").err
    (tmp_path / "jobcore.toml").write_text('store_url = "memory://"')
    monkeypatch.setenv("JOBCORE_MAX_LOST", "many")
    told = command("worker", "a:b")
    assert told.code == 2
    assert "setting max_lost:" in told.err


def test_without_its_extra_it_says_how_to_install_that() -> None:
    program = (
        "import sys; sys.modules['cyclopts'] = None; "
        "import jobcore.cli; jobcore.cli.main()"
    )
    ran = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        "the command needs an extra: pip install 'jobcore-core[cli]'\n"
    )


def test_it_is_a_module_as_well() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "jobcore", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "0.1.0\n"
