"""The ability `QueueControl`, on top of the plain store."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pydantic import TypeAdapter

from jobcore import (
    ClaimRequest,
    ClaimResult,
    Job,
    JobStatus,
    Limit,
    Pace,
    Paused,
    QueueControl,
)
from jobcore_lmdb import verbs
from jobcore_lmdb.keys import HELD, LIMIT, PACE, PAUSE, RUNNING, digest
from jobcore_lmdb.ledger import Ledger
from jobcore_lmdb.store import PlainLMDBJobStore, reading, writing

_LIMIT: Final = TypeAdapter(Limit)
_PACE: Final = TypeAdapter(Pace)


@dataclass(frozen=True, slots=True)
class Gate:
    """Which jobs may start, as one transaction sees it."""

    ledger: Ledger

    def is_paused(self, kind: str, name: str) -> bool:
        return self.ledger.get(_pause_key(kind, name)) is not None

    def obstacle(self, job: Job) -> dict[str, Any] | None:
        """What becomes of a job that may not start now; None if it may, and then its
        start counts against the rate of its key."""
        if self.is_paused("task", job.task):
            return {"status": JobStatus.HELD, "held_by": f"task:{job.task}"}
        key = job.limit_key
        if key is None or (limit := self.limit_of(job)) is None:
            return None
        if self.places(f"limit:{key}", job) == 0:
            return {"status": JobStatus.HELD, "held_by": f"limit:{key}"}
        return None if limit.rate is None else self._over_rate(key, limit)

    def places(self, holder: str, job: Job) -> int:
        """How many jobs *holder* would let start, by the figures of *job*."""
        kind, _, name = holder.partition(":")
        if kind == "task":
            return 0 if self.is_paused("task", name) else sys.maxsize
        if kind != "limit":
            return 0
        limit = self.limit_of(job)
        if limit is None or limit.concurrency is None:
            return sys.maxsize
        running = islice(self.ledger.scan(RUNNING + digest(name)), limit.concurrency)
        return limit.concurrency - sum(1 for _ in running)

    def limit_of(self, job: Job) -> Limit | None:
        """What stands for the key of *job*, else what the job carries."""
        return self.set_for(job.limit_key) or job.limit

    def set_for(self, key: str | None) -> Limit | None:
        """What was set for all jobs of *key*."""
        stored = self.ledger.get(LIMIT + digest(key))
        return None if stored is None else _LIMIT.validate_json(stored)

    def pace_of(self, key: str) -> Pace:
        stored = self.ledger.get(PACE + digest(key))
        return Pace() if stored is None else _PACE.validate_json(stored)

    def _over_rate(self, key: str, limit: Limit) -> dict[str, Any] | None:
        pace, now, obstacle = self.pace_of(key), self.ledger.now, None
        if pace.may_start(limit, now):
            pace = pace.started(limit, now)
        else:
            pace, reserved_at = pace.reserved(limit, now)
            obstacle = {"status": JobStatus.SCHEDULED, "due_at": reserved_at}
        self.ledger.transaction.put(PACE + digest(key), _PACE.dump_json(pace))
        return obstacle


def _claim(ledger: Ledger, request: ClaimRequest) -> ClaimResult:
    paused = _paused(ledger).queues
    return verbs.claim(ledger, request, paused, Gate(ledger).obstacle)


def _pause(
    ledger: Ledger, *, queue: str | None = None, task: str | None = None
) -> None:
    for kind, name in _named(queue, task):
        ledger.transaction.put(
            _pause_key(kind, name), json.dumps([kind, name]).encode()
        )


def _resume(
    ledger: Ledger, *, queue: str | None = None, task: str | None = None
) -> None:
    for kind, name in _named(queue, task):
        ledger.transaction.delete(_pause_key(kind, name))


def _paused(ledger: Ledger) -> Paused:
    pauses = [json.loads(value) for _, value in ledger.scan(PAUSE)]
    return Paused(
        frozenset(name for kind, name in pauses if kind == "queue"),
        frozenset(name for kind, name in pauses if kind == "task"),
    )


def _limit(ledger: Ledger, key: str, limit: Limit | None) -> None:
    if limit is None:
        ledger.transaction.delete(LIMIT + digest(key))
    else:
        ledger.transaction.put(LIMIT + digest(key), _LIMIT.dump_json(limit))


def _lift(ledger: Ledger, holders: Sequence[str] | None, limit: int) -> int:
    gate, lifted = Gate(ledger), 0
    if holders is None:
        holders = [str(each.job.held_by) for each in ledger.heads(HELD, 16)]
    for holder in holders:
        lifted += _lift_one(gate, holder, limit - lifted)
    return lifted


def _lift_one(gate: Gate, holder: str, limit: int) -> int:
    line = HELD + digest(holder)
    first = next(gate.ledger.heads(line, 0), None)
    if first is None:
        return 0
    places = min(limit, gate.places(holder, first.job))
    held = list(islice(gate.ledger.records(line), places))
    for record in held:
        fields = {"status": JobStatus.QUEUED, "held_by": None}
        gate.ledger.write(record, record.changed(fields))
    return len(held)


def _named(queue: str | None, task: str | None) -> Iterator[tuple[str, str]]:
    if queue is not None:
        yield "queue", queue
    if task is not None:
        yield "task", task


def _pause_key(kind: str, name: str) -> bytes:
    return PAUSE + digest(kind, name)


class ControlledLMDBJobStore(PlainLMDBJobStore, QueueControl):
    """Keeps jobs in an LMDB file, and can pause and limit them."""

    claim = writing(_claim)
    pause = writing(_pause)
    resume = writing(_resume)
    paused = reading(_paused)
    limit = writing(_limit)
    lift = writing(_lift)
