"""Apply: guarded writes, judged against the rows they meet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from jobcore import Answer, JobStatus, Transition
from jobcore_sql.among import Among
from jobcore_sql.bulk import update_rows
from jobcore_sql.ending import end
from jobcore_sql.records import lock
from jobcore_sql.tables import attempts, jobs
from jobcore_sql.transaction import Moves, Transaction

_READ = (
    select(
        jobs.c.id,
        jobs.c.queue,
        jobs.c.task,
        jobs.c.unique_key,
        jobs.c.unique_scope,
        jobs.c.unique_lock,
        jobs.c.status,
        jobs.c.generation,
        jobs.c.lease_until,
        jobs.c.cancel_requested_at,
        jobs.c.token,
        jobs.c.receipt,
    )
    .where(Among(jobs.c.id, "ids"))
    .order_by(jobs.c.id)
    .with_for_update(skip_locked=True)
)
_JUDGED = frozenset(_READ.selected_columns.keys())
_THERE = select(jobs.c.id).where(Among(jobs.c.id, "ids"))
_HOLDER = select(jobs.c.id).where(
    jobs.c.task == bindparam("task"), jobs.c.unique_lock == bindparam("key")
)


def apply(transaction: Transaction, transitions: Sequence[Transition]) -> list[Answer]:
    """Make those of *transitions* whose expectations hold. Later ones for the same job
    meet what earlier ones made of it."""
    alone = transaction.dialect.has_one_writer
    ended = end(transaction, transitions) if alone else set[str]()
    if len(ended) == len(transitions):
        return [Answer.APPLIED] * len(transitions)
    others = [each for each in transitions if each.job_id not in ended]
    batch = _Batch(transaction, others)
    judged = iter([batch.answer(each) for each in others])
    batch.write()
    return [
        Answer.APPLIED if each.job_id in ended else next(judged) for each in transitions
    ]


def _there(transaction: Transaction, ids: Sequence[str]) -> set[str]:
    """Which of *ids* are there, though their rows are locked."""
    if not ids or transaction.dialect.has_one_writer:
        return set()
    return {row.id for row in transaction.rows(_THERE, ids=ids)}


class _Batch:
    """The rows of one call, as they were, and what is to change in each."""

    def __init__(
        self, transaction: Transaction, transitions: Sequence[Transition]
    ) -> None:
        self._transaction = transaction
        ids = list({each.job_id for each in transitions})
        self._rows = {row.id: row for row in transaction.rows(_READ, ids=ids)}
        self._locked = _there(
            transaction, [each for each in ids if each not in self._rows]
        )
        self._changes: dict[str, dict[str, Any]] = {}
        self._filed: dict[tuple[str, int], Mapping[str, Any]] = {}

    def answer(self, transition: Transition) -> Answer:
        """Judge a write and, if it may be, make it."""
        row, now = self._row(transition.job_id), self._transaction.now
        if row is None:
            is_locked = transition.job_id in self._locked
            return Answer.LOCKED if is_locked else Answer.MISSING
        answer = transition.answer(row, row.token, row.receipt, now)
        if answer is not Answer.APPLIED or transition.came_before(row.receipt):
            return answer
        effect = transition.effect(row, now)
        if row.unique_key is not None:
            key = lock(row.unique_key, row.unique_scope, effect["status"])
            takes = key is not None and transition.next_generation
            if takes and not self._is_free(row, key):
                return Answer.UNIQUE_KEY
            if takes or key is None:
                effect["unique_lock"] = key
        if effect["status"] is not JobStatus.IN_PROGRESS:
            effect["token"] = None
        if transition.token is not None:
            effect["receipt"] = transition.receipt
        self._file(transition)
        self._changes.setdefault(row.id, {}).update(effect)
        return Answer.APPLIED

    def write(self) -> None:
        """Write what has changed, all that changes in the same fields at once; what
        frees a unique key before what takes one. All transactions take keys in one
        order, as each may wait for another's."""
        alike = defaultdict[tuple[bool, tuple[str, ...]], list[Sequence[Any]]](list)
        moves = Moves()
        for job_id, change in sorted(self._changes.items(), key=self._taken):
            row = self._rows[job_id]
            takes_key = change.get("unique_lock") is not None
            alike[takes_key, tuple(change)].append((job_id, *change.values()))
            moves[row.queue, row.status, None] += 1
            moves[change.get("queue", row.queue), None, change["status"]] += 1
        for (_, names), rows in sorted(alike.items()):
            update_rows(self._transaction, jobs, ("id", *names), rows)
        self._transaction.add(attempts, list(self._filed.values()))
        self._transaction.count(moves)

    def _taken(self, changed: tuple[str, Mapping[str, Any]]) -> tuple[str, str]:
        """The task and unique key that a change takes."""
        job_id, change = changed
        return self._rows[job_id].task, change.get("unique_lock") or ""

    def _row(self, job_id: str) -> Any:
        """A row as the batch has changed it so far."""
        row: Any = self._rows.get(job_id)
        change = self._changes.get(job_id)
        if change is None:
            return row
        return row._replace(**{name: change[name] for name in _JUDGED & change.keys()})

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

    def _is_free(self, row: Any, key: str) -> bool:
        """Whether nobody else holds unique *key*, as far as the batch has come."""
        holders = {
            each.id for each in self._transaction.rows(_HOLDER, task=row.task, key=key)
        }
        for each in map(self._row, self._rows):
            if each.task == row.task and each.unique_lock == key:
                holders.add(each.id)
            else:
                holders.discard(each.id)
        return holders <= {row.id}
