"""A store on a file of its own, for each test, or one of the PostgreSQL servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jobcore_sql import SQLJobStore
from jobcore_sql.dialects.postgresql import Cursor
from tests.jobcore_sql import postgresql


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[SQLJobStore]:
    async with SQLJobStore(url) as store:
        yield store


@pytest.fixture(params=postgresql.SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """The name of a server, which runs and has a database of ours."""
    name: str = request.param
    postgresql.url(name)
    return name


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is executed on servers, but for the notifications that a store sends by
    itself, at any time."""
    executed: list[str] = []
    fetch = Cursor.fetch

    async def watched(
        cursor: Cursor, statement: str, values: Sequence[Any]
    ) -> list[Any]:
        if not statement.startswith("SELECT pg_notify"):
            executed.append(statement)
        return await fetch(cursor, statement, values)

    monkeypatch.setattr(Cursor, "fetch", watched)
    return executed
