"""Leases: extending them, and finding those that ran out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, case, select, update

from jobcore import Claim, Renewal
from jobcore_sql.among import Among
from jobcore_sql.move import LIMIT
from jobcore_sql.records import IS_IN_PROGRESS, JOB, job
from jobcore_sql.tables import jobs
from jobcore_sql.transaction import Transaction

_READ = (
    select(jobs.c.id, jobs.c.token, jobs.c.cancel_requested_at)
    .where(Among(jobs.c.id, "ids"))
    .order_by(jobs.c.id)
)
_LOCK = _READ.with_for_update(skip_locked=True)
_UNTIL = bindparam("until", type_=jobs.c.lease_until.type)
_EXTEND = (
    update(jobs)
    .where(Among(jobs.c.id, "ids"))
    .values(
        lease_until=case(
            (jobs.c.lease_until < _UNTIL, _UNTIL), else_=jobs.c.lease_until
        )
    )
)
_EXPIRED = (
    select(*JOB, jobs.c.token)
    .where(IS_IN_PROGRESS, jobs.c.lease_until <= bindparam("now"))
    .order_by(jobs.c.lease_until, jobs.c.id)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)


def renew(
    transaction: Transaction, claims: Sequence[Claim], lease: timedelta
) -> Renewal:
    """Extend what is still held, and tell what is lost or to be canceled."""
    ids = [each.job_id for each in claims]
    ours = {row.id: row for row in transaction.rows(_LOCK, ids=ids)}
    others = [each for each in ids if each not in ours]
    locked = transaction.rows(_READ, ids=others) if others else []
    rows = ours | {row.id: row for row in locked}
    kept = [
        rows[each.job_id]
        for each in claims
        if each.job_id in rows and rows[each.job_id].token == each.token
    ]
    extended = [row.id for row in kept if row.id in ours]
    if extended:
        until = transaction.now + lease
        transaction.write(_EXTEND, {"ids": extended, "until": until})
    return Renewal(
        lost=frozenset(ids) - frozenset(row.id for row in kept),
        requested=frozenset(
            row.id for row in kept if row.cancel_requested_at is not None
        ),
    )


def expired(transaction: Transaction, limit: int) -> list[Claim]:
    """The claims that ran out first."""
    rows = transaction.rows(_EXPIRED, now=transaction.now, limit=limit)
    return [Claim(job(row), row.token) for row in rows]
