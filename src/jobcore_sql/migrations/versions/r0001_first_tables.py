"""The first tables."""

from __future__ import annotations

from sqlalchemy import (
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

revision = "0001"
down_revision = None
compatible_since = "0001"
branch_labels = None
depends_on = None

_ID = String(64).with_variant(String(64, collation="C"), "postgresql")
_NAME = Text().with_variant(Text(collation="C"), "postgresql")
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
        Column("payload", LargeBinary, nullable=False),
        Column("labels", Text, nullable=False),
        Column("unique_key", _NAME),
        Column("unique_scope", String(80), nullable=False),
        Column("limit_key", _NAME),
        Column("limit_figures", Text),
        Column("max_retries", Integer, nullable=False),
        Column("timeout", BigInteger),
        Column("extra", LargeBinary),
        Column("status", String(16), nullable=False),
        Column("held_by", _NAME),
        Column("reason", Text),
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
        Column("outcome", String(16)),
        Column("result", LargeBinary),
        Column("error", LargeBinary),
        Column("token", _NAME),
        Column("receipt", Text),
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
        ("finished", ("status", "finished_at", "id"), "finished_at IS NOT NULL"),
    ):
        builder.create_index(f"jobs_{name}", "jobs", columns, where=where)
    builder.create_index(
        "jobs_unique",
        "jobs",
        ("task", "unique_lock"),
        unique=True,
        where="unique_lock IS NOT NULL",
    )


def _create_what_jobs_have(builder: Builder) -> None:
    builder.create_table(
        "attempts",
        Column("job_id", _ID, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("worker", _NAME, nullable=False),
        Column("started_at", _INSTANT, nullable=False),
        Column("ended_at", _INSTANT),
        Column("outcome", String(16)),
        Column("error", LargeBinary),
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
        Column("status", String(16), primary_key=True),
        Column("n", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_control(builder: Builder) -> None:
    builder.create_table(
        "pauses",
        Column("kind", String(8), primary_key=True),
        Column("name", _NAME, primary_key=True),
        sqlite_with_rowid=False,
    )
    builder.create_table(
        "limits",
        Column("key", _NAME, primary_key=True),
        Column("figures", Text),
        Column("enforced_at", _INSTANT),
        Column("reserved_at", _INSTANT),
        sqlite_with_rowid=False,
    )


def _create_directory(builder: Builder) -> None:
    builder.create_table(
        "workers",
        Column("id", _NAME, primary_key=True),
        Column("queues", Text, nullable=False),
        Column("tasks", Text, nullable=False),
        Column("concurrency", Integer, nullable=False),
        Column("version", Text, nullable=False),
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
