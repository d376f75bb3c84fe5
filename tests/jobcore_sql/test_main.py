"""The tables by command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.__main__ import main
from jobcore_sql.schema import HEAD
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, "-m", "jobcore_sql", *arguments]
    return subprocess.run(whole, capture_output=True, text=True, check=False)  # noqa: S603 - our own command


async def test_an_empty_database_is_migrated_once(url: str) -> None:
    assert command("current", url).stdout == "empty\n"
    for _ in range(2):
        assert command("migrate", url).stdout == f"{HEAD}\n"
    assert command("current", url).stdout == f"{HEAD}\n"
    async with SQLJobStore(url, SQLOptions(auto_migrate=False)):
        pass


def test_names_are_options(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    there = [postgresql.url(server), "--schema", "commanded", "--prefix", "a_"]
    for act, revision in (("current", "empty"), ("migrate", HEAD), ("current", HEAD)):
        main([act, *there])
        assert capsys.readouterr().out == f"{revision}\n"
    main(["current", postgresql.url(server), "--schema", "commanded"])
    assert capsys.readouterr().out == "empty\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["current", "nothing"], "its URL cannot be read"),
        (["migrate", "sqlite:///jobs.db", "--schema", "jobs"], "has no schemas"),
        (["migrate", "sqlite:///jobs.db", "--prefix", "a-"], "the prefix 'a-'"),
        (["current", "sqlite:////there/is/none.db"], "unable to open"),
        (["current", "postgresql://127.0.0.1:1/jobs"], "Connect"),
        (["current", "mysql://127.0.0.1:1/jobs"], "Can't connect"),
        (["migrate", "mysql://127.0.0.1:1/jobs", "--schema", "jobs"], "has no schemas"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert problem in str(caught.value.code)
    assert not list(tmp_path.iterdir())
