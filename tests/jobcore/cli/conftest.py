"""The command, run in this process."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from jobcore import InMemoryJobStore, registry
from jobcore.cli.command import run
from tests.jobcore_redis import servers as redis
from tests.jobcore_sql import mysql, postgresql

STORES = (
    *("memory", "sqlite", "postgresql", "redis"),
    pytest.param("mysql", marks=mysql.needed),
)


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


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """What a worker of the command logs is over with its test."""
    logger = logging.getLogger("jobcore")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """Runs the command with arguments, in an empty folder, where no store is named."""
    monkeypatch.delenv("JOBCORE_STORE_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str, said: io.StringIO | None = None) -> Ran:
        monkeypatch.setattr("sys.stdin", said or io.StringIO())
        code = run(arguments)
        return Ran(code, *capsys.readouterr())

    return ran


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/jobs.db"


@pytest.fixture(params=STORES)
def any_url(
    request: pytest.FixtureRequest, url: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The URL of an empty store of each kind. That in memory is one store, whoever
    opens it in this process, one after the other."""
    name = f"cli_{uuid4().hex[:12]}"
    match request.param:
        case "memory":
            store = InMemoryJobStore()
            monkeypatch.setitem(registry._registered, "kept", lambda _: store)
            return "kept://"
        case "sqlite":
            return url
        case "postgresql":
            return f"{postgresql.url('18')}?jobcore_prefix={name}_"
        case "mysql":
            return f"{asyncio.run(mysql.url())}?jobcore_prefix={name}_"
        case _:
            return f"{redis.url('6.2')}?jobcore_namespace={name}"
