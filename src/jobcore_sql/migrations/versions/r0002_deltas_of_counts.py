"""What transactions that write at a time add to the counts."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, String, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create a table that is only appended to."""
    op.create_table(
        "deltas",
        Column("queue", Text, nullable=False),
        Column("status", String(16), nullable=False),
        Column("n", Integer, nullable=False),
    )
