"""What transactions that write at a time add to the counts."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Text

from jobcore_sql.migrations.builder import Builder

revision = "0002"
down_revision = "0001"
compatible_since = "0002"
branch_labels = None
depends_on = None

_NAME = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade(builder: Builder) -> None:
    """Create a table that is only appended to."""
    builder.create_table(
        "deltas",
        Column("queue", _NAME, nullable=False),
        Column("status", String(16), nullable=False),
        Column("n", Integer, nullable=False),
    )
