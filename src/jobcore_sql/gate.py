"""The gate of claims: which jobs may start, and what becomes of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import func, select

from jobcore import JobStatus, Limit, Pace, Paused
from jobcore_sql.among import Among
from jobcore_sql.records import IS_IN_PROGRESS
from jobcore_sql.tables import jobs, limits, pauses
from jobcore_sql.transaction import Transaction

_PAUSES = select(pauses)
_LIMITS = (
    select(limits)
    .where(Among(limits.c.key, "keys"))
    .order_by(limits.c.key)
    .with_for_update()
)
_RUNNING = (
    select(jobs.c.limit_key, func.count())
    .where(
        IS_IN_PROGRESS, jobs.c.limit_key.is_not(None), Among(jobs.c.limit_key, "keys")
    )
    .group_by(jobs.c.limit_key)
)
_INSTANTS = tuple(each.name for each in fields(Pace))


def paused(transaction: Transaction) -> Paused:
    """What is paused now."""
    names: dict[str, set[str]] = {"queue": set(), "task": set()}
    for kind, name in transaction.rows(_PAUSES):
        names[kind].add(name)
    return Paused(frozenset(names["queue"]), frozenset(names["task"]))


class Gate:
    """What pauses and limits say in one transaction.

    Limits are read when the first job with a limit key comes along, for all keys of
    its page at once: who uses none pays for none.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._overrides: dict[str, Limit] = {}
        self._running: Counter[str] = Counter()
        self._paces: dict[str, Pace] = {}
        self._moved: set[str] = set()
        self._known: set[str] = set()
        self.paused: Paused = paused(transaction)

    def learn(self, keys: Iterable[str]) -> None:
        """Read what is to know about limit *keys*."""
        new = sorted(set(keys) - self._known)
        if not new:
            return
        self._known.update(new)
        if not self._transaction.dialect.has_one_writer:
            # Only a row can be locked, so that nobody else counts at the same time.
            self._transaction.add(limits, [{"key": key} for key in new])
        for row in self._transaction.rows(_LIMITS, keys=new):
            if row.figures is not None:
                self._overrides[row.key] = row.figures
            instants = {name: getattr(row, name) for name in _INSTANTS}
            self._paces[row.key] = Pace(
                **{name: at for name, at in instants.items() if at is not None}
            )
        for key, count in self._transaction.rows(_RUNNING, keys=new):
            self._running[key] = count

    def limit(self, key: str, carried: Limit | None) -> Limit | None:
        """The limit that stands for *key*, for a job that carries *carried*."""
        return self._overrides.get(key, carried)

    def places(self, key: str, carried: Limit | None) -> int | None:
        """How many jobs of *key* may start besides those that run; None: any number."""
        limit = self.limit(key, carried)
        if limit is None or limit.concurrency is None:
            return None
        return max(limit.concurrency - self._running[key], 0)

    def obstacle(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        """What becomes of a *job* that may not start; None where it starts, and then it
        counts as running."""
        if job["task"] in self.paused.tasks:
            return {"status": JobStatus.HELD, "held_by": f"task:{job['task']}"}
        key, carried = job["limit_key"], job["limit"]
        limit = None if key is None else self.limit(key, carried)
        if limit is None:
            return None
        if self.places(key, carried) == 0:
            return {"status": JobStatus.HELD, "held_by": f"limit:{key}"}
        if limit.rate is not None and (deferred := self._pace(key, limit)):
            return deferred
        self._running[key] += 1
        return None

    def save(self) -> None:
        """Write down the paces that moved."""
        moved = [
            {
                "key": key,
                **{name: getattr(self._paces[key], name) for name in _INSTANTS},
            }
            for key in sorted(self._moved)
        ]
        if moved:
            self._transaction.upsert(limits, *moved)

    def _pace(self, key: str, limit: Limit) -> dict[str, Any] | None:
        now, pace = self._transaction.now, self._paces.get(key, Pace())
        self._moved.add(key)
        if pace.may_start(limit, now):
            self._paces[key] = pace.started(limit, now)
            return None
        self._paces[key], instant = pace.reserved(limit, now)
        return {"status": JobStatus.SCHEDULED, "due_at": instant}


def keys_of(page: Sequence[Mapping[str, Any]]) -> list[str]:
    """The limit keys that jobs of *page* have."""
    return [job["limit_key"] for job in page if job["limit_key"] is not None]
