"""What became of many calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import asyncpg

_IDLE: Final = (
    "SELECT pid, query FROM pg_stat_activity"
    " WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
)


@dataclass
class CallReport:
    """Of calls to which something was done, and of the server after them."""

    calls: int = 0
    done: int = 0
    undone: int = 0
    otherwise: list[str] = field(default_factory=list)
    """What was done in part, or twice."""
    refused: list[str] = field(default_factory=list)
    """Errors that reached a caller."""
    deadlocks: int = 0
    """How many the server's log tells of."""
    left: list[str] = field(default_factory=list)
    """What is not as it was in the store, its pool, or on the server."""

    @property
    def wrong(self) -> tuple[str, ...]:
        return (*self.otherwise, *self.refused, *self.left)


async def idle_in_transaction(url: str) -> list[str]:
    """Transactions that somebody has left open in the database at *url*."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        rows = await connection.fetch(_IDLE)
    finally:
        await connection.close()
    return [f"a transaction is open after {row['query']}" for row in rows]
