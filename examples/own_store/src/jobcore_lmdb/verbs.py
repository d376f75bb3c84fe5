"""What each method of the store does, within one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Final

from jobcore import (
    Answer,
    Claim,
    ClaimRequest,
    ClaimResult,
    Filter,
    Inserted,
    Job,
    JobRecord,
    JobStatus,
    NewJob,
    Page,
    Promotion,
    QueueStatistics,
    Renewal,
    Statistics,
    Transition,
)
from jobcore_lmdb import keys
from jobcore_lmdb.ledger import Ledger

Obstacle = Callable[[Job], Mapping[str, Any] | None]
"""What becomes of a job that a claim meets and may not start; None if it may."""

_PAGE: Final = 1000
"""How many records a page looks at before it stops early."""


def insert(ledger: Ledger, jobs: Sequence[NewJob]) -> list[Inserted]:
    return [_insert(ledger, JobRecord.stored(new, ledger.now)) for new in jobs]


def _insert(ledger: Ledger, record: JobRecord) -> Inserted:
    there = ledger.find(record.job.id)
    if there is None and record.job.unique_key is not None:
        there = ledger.holder(keys.unique_place(record.job))
    if there is None:
        ledger.write(None, record)
    return Inserted((there or record).job, created=there is None)


def get(
    ledger: Ledger, ids: Sequence[str], *, attempts: bool = False
) -> list[Job | None]:
    found = map(ledger.find, ids)
    return [each.shown(attempts=attempts) if each else None for each in found]


def claim(
    ledger: Ledger,
    request: ClaimRequest,
    paused: Set[str] = frozenset(),
    obstacle: Obstacle = lambda _: None,
) -> ClaimResult:
    if request.repeated and (claims := _claims_of(ledger, request)):
        return ClaimResult(claims)
    taken, kept, examined = list[Claim](), Counter[JobStatus](), 0
    for record in _candidates(ledger, request, paused):
        if len(taken) == request.limit:
            break
        examined += 1
        fields = obstacle(record.job)
        if fields is None:
            changed = record.claimed(request, ledger.now)
            taken.append(changed.claim)
        else:
            changed = record.changed(fields)
            kept[changed.job.status] += 1
        ledger.write(record, changed)
    return ClaimResult(
        tuple(taken),
        examined,
        bounded=examined == request.bound and len(taken) < request.limit,
        held=kept[JobStatus.HELD],
        deferred=kept[JobStatus.SCHEDULED],
    )


def _claims_of(ledger: Ledger, request: ClaimRequest) -> tuple[Claim, ...]:
    own = ledger.records(keys.TOKEN + keys.digest(request.token))
    jobs = request.in_order(each.job for each in own)
    return tuple(Claim(job, request.token) for job in jobs)


def _candidates(
    ledger: Ledger, request: ClaimRequest, paused: Set[str]
) -> Iterator[JobRecord]:
    left = request.bound
    for queue in request.queues:
        if queue not in paused:
            line = ledger.scan(keys.QUEUED + keys.digest(queue))
            names = [name for _, name in islice(line, left)]
            left -= len(names)
            yield from map(ledger.at, names)


def apply(ledger: Ledger, transitions: Sequence[Transition]) -> list[Answer]:
    return [_apply(ledger, transition) for transition in transitions]


def _apply(ledger: Ledger, transition: Transition) -> Answer:
    record = ledger.find(transition.job_id)
    if record is None:
        return Answer.MISSING
    answer = record.answer(transition, ledger.now)
    if answer is Answer.APPLIED:
        changed = record.after(transition, ledger.now)
        takes_key = changed.has_unique_key and not record.has_unique_key
        if takes_key and ledger.holder(keys.unique_place(record.job)):
            return Answer.UNIQUE_KEY
        ledger.write(record, changed)
    return answer


def renew(ledger: Ledger, claims: Sequence[Claim], lease: timedelta) -> Renewal:
    lost, requested = set[str](), set[str]()
    for each in claims:
        record = ledger.find(each.job_id)
        if record is None or record.token != each.token:
            lost.add(each.job_id)
            continue
        if record.job.cancel_requested_at is not None:
            requested.add(each.job_id)
        ledger.write(record, record.renewed(ledger.now + lease))
    return Renewal(frozenset(lost), frozenset(requested))


def expired(ledger: Ledger, limit: int) -> list[Claim]:
    late = _until_now(ledger, keys.LEASE, lambda job: job.lease_until)
    return [each.claim for each in islice(late, limit)]


def promote(ledger: Ledger, limit: int) -> Promotion:
    due = _until_now(ledger, keys.SCHEDULED, lambda job: job.due_at)
    promoted = list(islice(due, limit))
    for record in promoted:
        ledger.write(record, record.changed({"status": JobStatus.QUEUED}))
    following = next(ledger.records(keys.SCHEDULED), None)
    if following is None:
        return Promotion(len(promoted))
    wait = max(following.job.due_at - ledger.now, timedelta(0))
    return Promotion(len(promoted), wait)


def _until_now(
    ledger: Ledger, prefix: bytes, instant: Callable[[Job], datetime | None]
) -> Iterator[JobRecord]:
    """The records whose *instant*, by which their places are in order, has come."""
    return takewhile(
        lambda each: (instant(each.job) or ledger.now) <= ledger.now,
        ledger.records(prefix),
    )


def find(ledger: Ledger, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
    jobs = list[Job]()
    for looked_at, record in enumerate(_downward(ledger, filter, cursor), start=1):
        if filter.matches(record.job, ledger.now):
            jobs.append(record.job)
        if len(jobs) == limit or looked_at == _PAGE:
            return Page(tuple(jobs), record.job.id)
    return Page(tuple(jobs))


def _downward(
    ledger: Ledger, wanted: Filter, cursor: str | None
) -> Iterator[JobRecord]:
    """What may be wanted, by descending id."""
    if wanted.ids is None:
        return ledger.downward(cursor)
    ids = {each for each in wanted.ids if cursor is None or each < cursor}
    return filter(None, map(ledger.find, sorted(ids, reverse=True)))


def statistics(ledger: Ledger) -> Statistics:
    rows = [json.loads(value) for _, value in ledger.scan(keys.COUNT)]
    return Statistics({queue: _counted(ledger, queue, row) for queue, row in rows})


def _counted(ledger: Ledger, queue: str, row: dict[str, int]) -> QueueStatistics:
    # The oldest of all is among those that go first in their priorities.
    heads = ledger.heads(keys.QUEUED + keys.digest(queue), 2)
    oldest_due_at = min((each.job.due_at for each in heads), default=None)
    counts = {JobStatus(status): count for status, count in row.items()}
    return QueueStatistics(counts, oldest_due_at)


def delete(ledger: Ledger, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
    wanted = (
        record
        for record in _oldest_first(ledger, filter)
        if record.job.status is not JobStatus.IN_PROGRESS
        and filter.matches(record.job, ledger.now)
    )
    deleted = list(islice(wanted, limit))
    for record in deleted:
        ledger.write(record, None)
    return len(deleted)


def _oldest_first(ledger: Ledger, wanted: Filter) -> Iterator[JobRecord]:
    if wanted.ids is not None:
        return filter(None, map(ledger.find, sorted(set(wanted.ids))))
    if wanted.finished_for is not None:
        return ledger.records(keys.FINISHED)
    return ledger.upward()
