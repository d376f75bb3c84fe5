"""Apply: guarded writes, judged against the rows they meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, bindparam, select

from jobcore import Answer, JobStatus, Transition
from jobcore_sql.among import Among
from jobcore_sql.bulk import bulk_update
from jobcore_sql.records import lock
from jobcore_sql.tables import attempts, jobs
from jobcore_sql.transaction import Deltas, Transaction

_FACTS = ("id", "queue", "task", "unique_key", "unique_scope")
_CHANGING = (
    "status",
    "held_by",
    "reason",
    "generation",
    "failures",
    "losses",
    "due_at",
    "finished_at",
    "cancel_requested_at",
    "lease_until",
    "ended_at",
    "outcome",
    "result",
    "error",
    "extra",
    "token",
    "receipt",
    "unique_lock",
)
_READ = (
    select(*(jobs.c[name] for name in (*_FACTS, *_CHANGING)))
    .where(Among(jobs.c.id, "ids"))
    .order_by(jobs.c.id)
    .with_for_update(skip_locked=True)
)
_WRITE = bulk_update(jobs, *_CHANGING)
_HOLDER = select(jobs.c.id).where(
    jobs.c.task == bindparam("task"), jobs.c.unique_lock == bindparam("key")
)


def apply(transaction: Transaction, transitions: Sequence[Transition]) -> list[Answer]:
    """Make those of *transitions* whose expectations hold. Later ones for the same job
    meet what earlier ones made of it."""
    batch = _Batch(transaction, transitions)
    answers = [batch.answer(each) for each in transitions]
    batch.write()
    return answers


class _State(SimpleNamespace):
    """A row as the batch has changed it so far."""

    status: JobStatus
    generation: int
    lease_until: datetime | None
    cancel_requested_at: datetime | None
    token: str | None
    receipt: str | None
    unique_lock: str | None


class _Stored:
    """A row: what never changes, what it was, and what it is by now."""

    __slots__ = ("changed", "facts", "state", "was")

    def __init__(self, row: Row[Any]) -> None:
        self.facts = row
        self.was: JobStatus = row.status
        self.state = _State(**dict(zip(_CHANGING, row[len(_FACTS) :], strict=True)))
        self.changed = False


class _Batch:
    """The rows of one call."""

    def __init__(
        self, transaction: Transaction, transitions: Sequence[Transition]
    ) -> None:
        self._transaction = transaction
        ids = list({each.job_id for each in transitions})
        rows = transaction.rows(_READ, ids=ids)
        self._stored = {row.id: _Stored(row) for row in rows}
        self._filed: dict[tuple[str, int], Mapping[str, Any]] = {}

    def answer(self, transition: Transition) -> Answer:
        """Judge a write and, if it may be, make it."""
        stored = self._stored.get(transition.job_id)
        if stored is None:
            return Answer.MISSING
        state, now = stored.state, self._transaction.now
        answer = transition.answer(state, state.token, state.receipt, now)
        if answer is not Answer.APPLIED or transition.came_before(state.receipt):
            return answer
        effect = transition.effect(state, now)
        facts = stored.facts
        key = lock(facts.unique_key, facts.unique_scope, effect["status"])
        if transition.next_generation:
            if key is not None and not self._is_free(facts, key):
                return Answer.UNIQUE_KEY
            effect["unique_lock"] = key
        elif key is None:
            effect["unique_lock"] = None
        if effect["status"] is not JobStatus.IN_PROGRESS:
            effect["token"] = None
        if transition.token is not None:
            effect["receipt"] = transition.receipt
        self._file(transition)
        vars(state).update(effect)
        stored.changed = True
        return Answer.APPLIED

    def write(self) -> None:
        """Write what has changed; what frees a unique key before what takes one."""
        changed = [each for each in self._stored.values() if each.changed]
        if not changed:
            return
        changed.sort(key=lambda each: each.state.unique_lock is not None)
        _WRITE.write(self._transaction.connection, map(_row, changed))
        self._transaction.add(attempts, list(self._filed.values()))
        deltas = Deltas((each.facts.queue, each.state.status) for each in changed)
        deltas.subtract((each.facts.queue, each.was) for each in changed)
        self._transaction.count(deltas)

    def _file(self, transition: Transition) -> None:
        filed = transition.filed(self._transaction.now)
        if filed is None:
            return
        key = transition.job_id, filed.number
        self._filed.setdefault(
            key,
            {
                "job_id": transition.job_id,
                "number": filed.number,
                "worker": filed.worker,
                "started_at": filed.started_at,
                "ended_at": filed.ended_at,
                "outcome": filed.outcome,
                "error": filed.error,
            },
        )

    def _is_free(self, facts: Row[Any], key: str) -> bool:
        holders = {
            row.id for row in self._transaction.rows(_HOLDER, task=facts.task, key=key)
        }
        for job_id, each in self._stored.items():
            if each.facts.task == facts.task and each.state.unique_lock == key:
                holders.add(job_id)
            else:
                holders.discard(job_id)
        return holders <= {facts.id}


def _row(stored: _Stored) -> Sequence[Any]:
    return *vars(stored.state).values(), stored.facts.id
