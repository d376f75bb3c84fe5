"""Schedules, of which releases before need not know."""

from __future__ import annotations

from sqlalchemy import (
    VARBINARY,
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    Text,
)

from jobcore_sql.migrations.builder import Builder
from jobcore_sql.partial import Condition

revision = "0003"
down_revision = "0002"
compatible_since = "0002"
branch_labels = None
depends_on = None

_MYSQL = ("mysql", "mariadb")
_BYTES = LargeBinary(2**32 - 1)
_TEXT = Text().with_variant(_BYTES, *_MYSQL)
_NAME = (
    Text()
    .with_variant(Text(collation="C"), "postgresql")
    .with_variant(VARBINARY(300), *_MYSQL)
)
_INSTANT = BigInteger().with_variant(DateTime(timezone=True), "postgresql")


def upgrade(builder: Builder) -> None:
    """Create their table, and an index of those that are due some time."""
    builder.create_table(
        "schedules",
        Column("name", _NAME, primary_key=True),
        Column("revision", _TEXT, nullable=False),
        Column("data", _BYTES, nullable=False),
        Column("due_at", _INSTANT),
    )
    builder.create_index(
        "schedules_due",
        "schedules",
        ("due_at", "name"),
        where=Condition("due_at IS NOT NULL"),
    )
