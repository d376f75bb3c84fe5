"""The tables, their invariants and their indexes, as the newest migration leaves them.

`jobs` tells everything about a job but its earlier attempts. Each index is partial, so
that a job is in the few that its status needs, and what a claim costs does not depend
on the jobs it cannot meet. `token` is who holds the job, `receipt` the last recorded
write, `unique_lock` the unique key as long as the job holds it.

How many jobs a queue has in a status is what `counts` and `deltas` tell together. Where
several transactions write at a time, each appends what it changed, so that none waits
for another, and upkeep folds that.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from jobcore import JobStatus, Outcome
from jobcore_sql.columns import Duration, Figures, Instant, Json, Scope, Whole, Word
from jobcore_sql.naming import TableName
from jobcore_sql.partial import Condition, only
from jobcore_sql.utf8 import LONGEST, MYSQL, Numbering, Utf8

metadata: MetaData = MetaData()

ID: String = (
    String(64)
    .with_variant(String(64, collation="C"), "postgresql")
    .with_variant(Utf8(64), *MYSQL)
)
"""What ids are kept in: compared by code point, whatever the language of a database."""
NAME: Text = (
    Text()
    .with_variant(Text(collation="C"), "postgresql")
    .with_variant(Utf8(300), *MYSQL)
)
"""What is found by an index, and need not be sorted as people would. The longest
have a key of 255 bytes in them."""
TEXT: Text = Text().with_variant(Utf8(), *MYSQL)
KIND: String = String(8).with_variant(Utf8(8), *MYSQL)
NUMBER: BigInteger = BigInteger().with_variant(Numbering(), *MYSQL)
"""By which a row is found that has no key. Other databases know where each row lies,
and leave it empty."""
BYTES: LargeBinary = LargeBinary(LONGEST)

_ZERO = text("0")

jobs: Table = Table(
    TableName("jobs", None),
    metadata,
    Column("id", ID, primary_key=True),
    Column("task", NAME, nullable=False),
    Column("queue", NAME, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("payload", BYTES, nullable=False),
    Column("labels", Json, nullable=False),
    Column("unique_key", NAME),
    Column("unique_scope", Scope, nullable=False),
    Column("limit_key", NAME),
    Column("limit_figures", Figures, key="limit"),
    Column("max_retries", Whole(), nullable=False),
    Column("timeout", Duration),
    Column("extra", BYTES),
    Column("status", Word(JobStatus), nullable=False),
    Column("held_by", NAME),
    Column("reason", TEXT),
    Column("generation", Whole(), nullable=False, server_default=_ZERO),
    Column("attempt", Whole(), nullable=False, server_default=_ZERO),
    Column("failures", Whole(), nullable=False, server_default=_ZERO),
    Column("losses", Whole(), nullable=False, server_default=_ZERO),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("cancel_requested_at", Instant),
    Column("worker", NAME),
    Column("lease_until", Instant),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("outcome", Word(Outcome)),
    Column("result", BYTES),
    Column("error", BYTES),
    Column("token", NAME),
    Column("receipt", TEXT),
    Column("unique_lock", NAME),
    CheckConstraint("id <> ''", name="jobs_id"),
    CheckConstraint("priority BETWEEN -32768 AND 32767", name="jobs_priority"),
    CheckConstraint(
        "CASE"
        " WHEN status = 'in_progress' THEN token IS NOT NULL"
        " AND lease_until IS NOT NULL AND held_by IS NULL AND finished_at IS NULL"
        " WHEN status IN ('queued', 'scheduled') THEN token IS NULL"
        " AND lease_until IS NULL AND held_by IS NULL AND finished_at IS NULL"
        " WHEN status IN ('completed', 'failed', 'canceled') THEN token IS NULL"
        " AND lease_until IS NULL AND held_by IS NULL AND finished_at IS NOT NULL"
        " WHEN status = 'held' THEN token IS NULL"
        " AND lease_until IS NULL AND held_by IS NOT NULL AND finished_at IS NULL"
        " ELSE 1 = 0 END",
        name="jobs_status",
    ),
)


def _of(status: JobStatus, condition: str = "") -> dict[str, Any]:
    """That an index has only the jobs with *status*, and with *condition*."""
    return only(Condition(f"status = '{status}'{condition}", led_by="status"))


_c = jobs.c
_PLACE = (_c.priority, _c.due_at, _c.id)
Index("jobs_queued", _c.queue, *_PLACE, **_of(JobStatus.QUEUED))
Index("jobs_scheduled", _c.due_at, _c.id, **_of(JobStatus.SCHEDULED))
Index("jobs_held", _c.held_by, *_PLACE, **_of(JobStatus.HELD))
Index("jobs_in_progress", _c.lease_until, _c.id, **_of(JobStatus.IN_PROGRESS))
Index(
    "jobs_limited",
    _c.limit_key,
    **_of(JobStatus.IN_PROGRESS, " AND limit_key IS NOT NULL"),
)
Index(
    "jobs_cancel_requested",
    _c.worker,
    **_of(JobStatus.IN_PROGRESS, " AND cancel_requested_at IS NOT NULL"),
)
_FINISHED = only(Condition("finished_at IS NOT NULL"))
Index("jobs_finished", _c.status, _c.finished_at, _c.id, **_FINISHED)
_UNIQUE = only(Condition("unique_lock IS NOT NULL"))
Index("jobs_unique", _c.task, _c.unique_lock, unique=True, **_UNIQUE)

attempts: Table = Table(
    TableName("attempts", None),
    metadata,
    Column("job_id", ID, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("worker", NAME, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", Word(Outcome)),
    Column("error", BYTES),
    sqlite_with_rowid=False,
)

labels: Table = Table(
    TableName("labels", None),
    metadata,
    Column("name", NAME, primary_key=True),
    Column("value", NAME, primary_key=True),
    Column("job_id", ID, primary_key=True),
    sqlite_with_rowid=False,
)
Index("labels_job", labels.c.job_id)

COUNTED: Final = ("queue", "status", "n")
"""What `counts` and `deltas` have in common."""

counts: Table = Table(
    TableName("counts", None),
    metadata,
    Column("queue", NAME, primary_key=True),
    Column("status", Word(JobStatus), primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

deltas: Table = Table(
    TableName("deltas", None),
    metadata,
    Column("queue", NAME, nullable=False),
    Column("status", Word(JobStatus), nullable=False),
    Column("n", Integer, nullable=False),
    Column("number", NUMBER),
)

pauses: Table = Table(
    TableName("pauses", None),
    metadata,
    Column("kind", KIND, primary_key=True),
    Column("name", NAME, primary_key=True),
    sqlite_with_rowid=False,
)

limits: Table = Table(
    TableName("limits", None),
    metadata,
    Column("key", NAME, primary_key=True),
    Column("figures", Figures),
    Column("enforced_at", Instant),
    Column("reserved_at", Instant),
    sqlite_with_rowid=False,
)

workers: Table = Table(
    TableName("workers", None),
    metadata,
    Column("id", NAME, primary_key=True),
    Column("queues", Json, nullable=False),
    Column("tasks", Json, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("version", TEXT, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

duties: Table = Table(
    TableName("duties", None),
    metadata,
    Column("name", NAME, primary_key=True),
    Column("due_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

schedules: Table = Table(
    TableName("schedules", None),
    metadata,
    Column("name", NAME, primary_key=True),
    Column("revision", TEXT, nullable=False),
    Column("data", BYTES, nullable=False),
    Column("due_at", Instant),
)
Index(
    "schedules_due",
    schedules.c.due_at,
    schedules.c.name,
    **only(Condition("due_at IS NOT NULL")),
)
