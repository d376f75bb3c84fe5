"""What transactions that write at a time add to the counts."""

from __future__ import annotations

from sqlalchemy import VARBINARY, BigInteger, Column, Integer, String, Text
from sqlalchemy.types import UserDefinedType

from jobcore_sql.migrations.builder import Builder

revision = "0002"
down_revision = "0001"
compatible_since = "0002"
branch_labels = None
depends_on = None

_MYSQL = ("mysql", "mariadb")
_NAME = (
    Text()
    .with_variant(Text(collation="C"), "postgresql")
    .with_variant(VARBINARY(300), *_MYSQL)
)
_WORD = String(16).with_variant(VARBINARY(16), *_MYSQL)


class _Numbering(UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **options: object) -> str:  # noqa: ARG002 - SQLAlchemy passes them
        return "BIGINT AUTO_INCREMENT PRIMARY KEY"


_NUMBER = BigInteger().with_variant(_Numbering(), *_MYSQL)


def upgrade(builder: Builder) -> None:
    """Create a table that is only appended to."""
    builder.create_table(
        "deltas",
        Column("queue", _NAME, nullable=False),
        Column("status", _WORD, nullable=False),
        Column("n", Integer, nullable=False),
        Column("number", _NUMBER),
    )
