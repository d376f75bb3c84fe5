"""Claim: take queued jobs for a worker, and put aside what may not start.

Candidates are read with their rows locked, judged here, and written back in one
statement: the one shape that every SQL database can do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, select, tuple_, update

from jobcore import Claim, ClaimRequest, ClaimResult, Job, JobStatus
from jobcore_sql.among import Among
from jobcore_sql.bulk import update_rows
from jobcore_sql.gate import Gate, keys_of
from jobcore_sql.move import LIMIT, unlock
from jobcore_sql.records import BLANK, FIELDS, IS_IN_PROGRESS, IS_QUEUED, JOB, job, lock
from jobcore_sql.tables import jobs
from jobcore_sql.transaction import Moves, Transaction

_PLACE = (jobs.c.priority, jobs.c.due_at, jobs.c.id)
_QUEUE = IS_QUEUED & (jobs.c.queue == bindparam("queue"))
ANY_QUEUED: Select[Any] = select(jobs.c.id).where(_QUEUE).limit(1)
"""Whether there is anything in a queue."""
# What a claim sets and what is null in the queue need not be read.
_SET = ("worker", "lease_until", "started_at", "ended_at", "outcome", "status")
_NULL = ("held_by", "finished_at")
_FIRST = (
    select(*(jobs.c[name] for name in FIELDS if name not in {*_SET, *_NULL}))
    .where(_QUEUE)
    .order_by(*_PLACE)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)
_FURTHER = _FIRST.where(
    tuple_(*_PLACE)
    > tuple_(*(bindparam(f"last_{each.name}", type_=each.type) for each in _PLACE))
)
_OWN = select(*JOB).where(IS_IN_PROGRESS, jobs.c.token == bindparam("token"))
_TAKE = (
    update(jobs)
    .where(Among(jobs.c.id, "ids"))
    .values(
        status=JobStatus.IN_PROGRESS,
        attempt=jobs.c.attempt + 1,
        token=bindparam("holder"),
        worker=bindparam("by"),
        lease_until=bindparam("until"),
        started_at=bindparam("now"),
        ended_at=None,
        outcome=None,
    )
)

Fields = dict[str, Any]


def nothing_queued(
    transaction: Transaction, request: ClaimRequest
) -> ClaimResult | None:
    """The answer where the queues of *request* are empty."""
    if request.repeated:
        return None
    empty = all(
        transaction.first(ANY_QUEUED, queue=queue) is None for queue in request.queues
    )
    return ClaimResult() if empty else None


def claim(transaction: Transaction, request: ClaimRequest) -> ClaimResult:
    """Take what *request* asks for."""
    if request.repeated and (own := _own(transaction, request)):
        return ClaimResult(own)
    gate = Gate(transaction)
    taken: list[Fields] = []
    aside: list[tuple[Fields, Fields]] = []
    for candidate in _candidates(transaction, request, gate, taken):
        obstacle = gate.obstacle(candidate)
        if obstacle is None:
            taken.append(candidate)
        else:
            aside.append((candidate, obstacle))
    gate.save()
    _put_aside(transaction, aside)
    examined = len(taken) + len(aside)
    held = sum(change["status"] is JobStatus.HELD for _, change in aside)
    return ClaimResult(
        _take(transaction, request, taken),
        examined,
        bounded=examined == request.bound and len(taken) < request.limit,
        held=held,
        deferred=len(aside) - held,
    )


def _own(transaction: Transaction, request: ClaimRequest) -> tuple[Claim, ...]:
    rows = transaction.rows(_OWN, token=request.token)
    jobs = request.in_order(job(row) for row in rows)
    return tuple(Claim(each, request.token) for each in jobs)


def _candidates(
    transaction: Transaction, request: ClaimRequest, gate: Gate, taken: Sequence[Fields]
) -> Iterator[Fields]:
    """Queued jobs as they are once taken, in the order of claims, page by page, until
    enough are *taken* or the bound is reached. The first page of a queue is what is
    still wanted, as nearly always all of it starts."""
    claimed = {**BLANK, **request.effect(0, transaction.now)}
    left = request.bound
    for queue in request.queues:
        if queue in gate.paused.queues:
            continue
        statement, last = _FIRST, dict[str, Any]()
        size = request.limit - len(taken)
        while left and len(taken) < request.limit:
            size = min(size, left)
            page = transaction.records(
                statement, claimed, queue=queue, limit=size, **last
            )
            gate.learn(keys_of(page))
            for candidate in page:
                if len(taken) == request.limit:
                    return
                left -= 1
                yield candidate
            if len(page) < size:
                break
            last = {f"last_{each.name}": page[-1][each.name] for each in _PLACE}
            statement, size = _FURTHER, left


def _take(
    transaction: Transaction, request: ClaimRequest, taken: Sequence[Fields]
) -> tuple[Claim, ...]:
    if not taken:
        return ()
    now = transaction.now
    row = {
        "ids": [each["id"] for each in taken],
        "holder": request.token,
        "by": request.worker,
        "until": now + request.lease,
        "now": now,
    }
    transaction.write(_TAKE, row)
    _follow(transaction, [(each, {"status": JobStatus.IN_PROGRESS}) for each in taken])
    for each in taken:
        each["attempt"] += 1
    return tuple(Claim(Job.trusted(each), request.token) for each in taken)


def _put_aside(
    transaction: Transaction, aside: Sequence[tuple[Fields, Fields]]
) -> None:
    if not aside:
        return
    rows = [
        (
            each["id"],
            change["status"],
            change.get("held_by"),
            change.get("due_at", each["due_at"]),
        )
        for each, change in aside
    ]
    update_rows(transaction, jobs, ("id", "status", "held_by", "due_at"), rows)
    _follow(transaction, aside)


def _follow(
    transaction: Transaction, changed: Sequence[tuple[Fields, Mapping[str, Any]]]
) -> None:
    """Let unique keys and counts follow the jobs that left the queue."""
    freed = [
        each["id"]
        for each, change in changed
        if each["unique_key"] is not None
        and lock(each["unique_key"], each["unique_scope"], change["status"]) is None
    ]
    unlock(transaction, freed)
    transaction.count(
        Moves(
            (each["queue"], JobStatus.QUEUED, change["status"])
            for each, change in changed
        )
    )
