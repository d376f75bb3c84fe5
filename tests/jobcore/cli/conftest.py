"""The command, run in this process."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobcore.cli.command import run


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[list[str]]:
        """What was printed, as the cells of its lines."""
        return [
            [cell.strip() for cell in line.split("\t")] for line in self.out.split("\n")
        ][:-1]


Command = Callable[..., Ran]


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """Runs the command with arguments, in an empty folder, where no store is named."""
    monkeypatch.delenv("JOBCORE_STORE_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str, said: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        code = run(arguments)
        return Ran(code, *capsys.readouterr())

    return ran


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/jobs.db"
