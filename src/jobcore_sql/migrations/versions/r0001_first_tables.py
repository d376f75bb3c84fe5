"""The first tables."""

from __future__ import annotations

from sqlalchemy import (
    VARBINARY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)

from jobcore_sql.migrations.builder import Builder
from jobcore_sql.partial import Condition

revision = "0001"
down_revision = None
compatible_since = "0001"
branch_labels = None
depends_on = None

_MYSQL = ("mysql", "mariadb")
_BYTES = LargeBinary(2**32 - 1)
_TEXT = Text().with_variant(_BYTES, *_MYSQL)
_ID = (
    String(64)
    .with_variant(String(64, collation="C"), "postgresql")
    .with_variant(VARBINARY(64), *_MYSQL)
)
_NAME = (
    Text()
    .with_variant(Text(collation="C"), "postgresql")
    .with_variant(VARBINARY(300), *_MYSQL)
)
_KIND = String(8).with_variant(VARBINARY(8), *_MYSQL)
_WORD = String(16).with_variant(VARBINARY(16), *_MYSQL)
_SCOPE = String(80).with_variant(VARBINARY(80), *_MYSQL)
_INSTANT = BigInteger().with_variant(DateTime(timezone=True), "postgresql")


def upgrade(builder: Builder) -> None:
    """Create everything."""
    _create_jobs(builder)
    _index_jobs(builder)
    _create_what_jobs_have(builder)
    _create_control(builder)
    _create_directory(builder)


def _create_jobs(builder: Builder) -> None:
    zero = text("0")
    builder.create_table(
        "jobs",
        Column("id", _ID, primary_key=True),
        Column("task", _NAME, nullable=False),
        Column("queue", _NAME, nullable=False),
        Column("priority", SmallInteger, nullable=False),
        Column("payload", _BYTES, nullable=False),
        Column("labels", _TEXT, nullable=False),
        Column("unique_key", _NAME),
        Column("unique_scope", _SCOPE, nullable=False),
        Column("limit_key", _NAME),
        Column("limit_figures", _TEXT),
        Column("max_retries", Integer, nullable=False),
        Column("timeout", BigInteger),
        Column("extra", _BYTES),
        Column("status", _WORD, nullable=False),
        Column("held_by", _NAME),
        Column("reason", _TEXT),
        Column("generation", Integer, nullable=False, server_default=zero),
        Column("attempt", Integer, nullable=False, server_default=zero),
        Column("failures", Integer, nullable=False, server_default=zero),
        Column("losses", Integer, nullable=False, server_default=zero),
        Column("created_at", _INSTANT, nullable=False),
        Column("due_at", _INSTANT, nullable=False),
        Column("finished_at", _INSTANT),
        Column("cancel_requested_at", _INSTANT),
        Column("worker", _NAME),
        Column("lease_until", _INSTANT),
        Column("started_at", _INSTANT),
        Column("ended_at", _INSTANT),
        Column("outcome", _WORD),
        Column("result", _BYTES),
        Column("error", _BYTES),
        Column("token", _NAME),
        Column("receipt", _TEXT),
        Column("unique_lock", _NAME),
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


def _index_jobs(builder: Builder) -> None:
    place = ("priority", "due_at", "id")
    for name, columns, where in (
        ("queued", ("queue", *place), "status = 'queued'"),
        ("scheduled", ("due_at", "id"), "status = 'scheduled'"),
        ("held", ("held_by", *place), "status = 'held'"),
        ("in_progress", ("lease_until", "id"), "status = 'in_progress'"),
        (
            "limited",
            ("limit_key",),
            "status = 'in_progress' AND limit_key IS NOT NULL",
        ),
        (
            "cancel_requested",
            ("worker",),
            "status = 'in_progress' AND cancel_requested_at IS NOT NULL",
        ),
    ):
        condition = Condition(where, led_by="status")
        builder.create_index(f"jobs_{name}", "jobs", columns, where=condition)
    builder.create_index(
        "jobs_finished",
        "jobs",
        ("status", "finished_at", "id"),
        where=Condition("finished_at IS NOT NULL"),
    )
    builder.create_index(
        "jobs_unique",
        "jobs",
        ("task", "unique_lock"),
        unique=True,
        where=Condition("unique_lock IS NOT NULL"),
    )


def _create_what_jobs_have(builder: Builder) -> None:
    builder.create_table(
        "attempts",
        Column("job_id", _ID, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("worker", _NAME, nullable=False),
        Column("started_at", _INSTANT, nullable=False),
        Column("ended_at", _INSTANT),
        Column("outcome", _WORD),
        Column("error", _BYTES),
        sqlite_with_rowid=False,
    )
    builder.create_table(
        "labels",
        Column("name", _NAME, primary_key=True),
        Column("value", _NAME, primary_key=True),
        Column("job_id", _ID, primary_key=True),
        sqlite_with_rowid=False,
    )
    builder.create_index("labels_job", "labels", ["job_id"])
    builder.create_table(
        "counts",
        Column("queue", _NAME, primary_key=True),
        Column("status", _WORD, primary_key=True),
        Column("n", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_control(builder: Builder) -> None:
    builder.create_table(
        "pauses",
        Column("kind", _KIND, primary_key=True),
        Column("name", _NAME, primary_key=True),
        sqlite_with_rowid=False,
    )
    builder.create_table(
        "limits",
        Column("key", _NAME, primary_key=True),
        Column("figures", _TEXT),
        Column("enforced_at", _INSTANT),
        Column("reserved_at", _INSTANT),
        sqlite_with_rowid=False,
    )


def _create_directory(builder: Builder) -> None:
    builder.create_table(
        "workers",
        Column("id", _NAME, primary_key=True),
        Column("queues", _TEXT, nullable=False),
        Column("tasks", _TEXT, nullable=False),
        Column("concurrency", Integer, nullable=False),
        Column("version", _TEXT, nullable=False),
        Column("seen_at", _INSTANT, nullable=False),
        Column("expires_at", _INSTANT, nullable=False),
        sqlite_with_rowid=False,
    )
    builder.create_table(
        "duties",
        Column("name", _NAME, primary_key=True),
        Column("due_at", _INSTANT, nullable=False),
        sqlite_with_rowid=False,
    )
