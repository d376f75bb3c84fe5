"""Seeing a worker in one statement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Interval, bindparam, delete
from sqlalchemy.dialects.postgresql import insert

from jobcore import WorkerRecord
from jobcore_sql.queries import Queries
from jobcore_sql.single.parts import NOW
from jobcore_sql.tables import workers

_TOLD: Final = ("id", "queues", "tasks", "concurrency", "version")
_ID: Final = bindparam("id", type_=workers.c.id.type)


def _seen() -> Any:
    told = {name: bindparam(name, type_=workers.c[name].type) for name in _TOLD}
    until = NOW + bindparam("expires_in", type_=Interval)
    entered = insert(workers).values({**told, "seen_at": NOW, "expires_at": until})
    entered = entered.on_conflict_do_update(
        index_elements=workers.primary_key,
        set_={name: entered.excluded[name] for name in workers.c.keys()[1:]},
    )
    # A statement may not delete the very row that it enters.
    others = delete(workers).where(workers.c.expires_at <= NOW, workers.c.id != _ID)
    return entered.add_cte(others.cte("forgotten"))


_SEEN = _seen()


async def seen(queries: Queries, worker: WorkerRecord, expires_in: timedelta) -> bool:
    """Enter *worker*, and forget those who did not return."""
    told = {name: getattr(worker, name) for name in _TOLD}
    offset = queries.offset
    await queries.write(_SEEN, **told, expires_in=expires_in, offset=offset)
    return True
