"""The stores that several processes can share, each empty and apart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from tests.jobcore_redis import servers as redis
from tests.jobcore_sql import mysql, postgresql

SHARED = (
    *("sqlite", "postgresql", "redis"),
    pytest.param("mysql", marks=mysql.needed),
)


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of one of them, in tables or under keys of its own."""
    name = f"races_{uuid4().hex[:12]}"
    match request.param:
        case "sqlite":
            return f"sqlite+aiosqlite:///{tmp_path}/jobs.db"
        case "postgresql":
            return f"{postgresql.url('18')}?jobcore_prefix={name}_"
        case "mysql":
            return f"{asyncio.run(mysql.url())}?jobcore_prefix={name}_"
        case _:
            return f"{redis.url('6.2')}?jobcore_namespace={name}"
