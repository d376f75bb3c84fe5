"""Stores of every kind, open and empty."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from jobcore import InMemoryJobStore, JobStore
from jobcore_sql import SQLJobStore
from tests.jobcore_redis import servers as redis
from tests.jobcore_sql import mysql, postgresql

KINDS = (
    *("memory", "sqlite", "postgresql", "redis"),
    pytest.param("mysql", marks=mysql.needed),
)


def empty_store(kind: str, folder: Path) -> AbstractAsyncContextManager[JobStore]:
    """A store of this kind; what it has in files is in *folder*."""
    match kind:
        case "memory":
            return InMemoryJobStore()
        case "sqlite":
            return SQLJobStore(f"sqlite+aiosqlite:///{folder}/jobs.db")
        case "postgresql":
            return postgresql.empty_store("18")
        case "mysql":
            return mysql.empty_store()
        case _:
            return redis.empty_store("6.2")
