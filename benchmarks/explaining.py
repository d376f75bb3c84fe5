"""What PostgreSQL does for a claim: its plan as it ran, and how many rows it locked."""

from __future__ import annotations

import re

import bare

_LOCKED = re.compile(r"LockRows .*actual time=\S+ rows=(\d+)")


async def explained(url: str, limit: int, queue: str) -> str:
    """The plan of a claim of *limit* jobs from *queue*, which is rolled back. It is the
    plan that the store's own connections use."""
    claiming = bare.claiming(limit, queue)
    values = ", ".join(claiming.literals())
    async with bare.connections(url, 1) as (connection,):
        await connection.execute(f"PREPARE claiming AS {claiming.text}")
        transaction = connection.transaction()
        await transaction.start()
        try:
            rows = await connection.fetch(
                f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE claiming ({values})"
            )
        finally:
            await transaction.rollback()
    plan = "\n".join(row[0] for row in rows)
    locked = sum(map(int, _LOCKED.findall(plan)))
    return f"{plan}\nrows locked for {limit} of one queue: {locked}"
