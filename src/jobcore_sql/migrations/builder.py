"""What migrations change tables with: plain names go in, those of a store come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations import Operations
from sqlalchemy import CheckConstraint, text
from sqlalchemy.schema import SchemaItem

from jobcore_sql.naming import Naming


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes tables and indexes in the schema of a store, with its prefix."""

    operations: Operations
    naming: Naming

    def create_table(self, name: str, *items: SchemaItem, **options: Any) -> None:
        """Create a table of columns and checks."""
        for each in items:
            if isinstance(each, CheckConstraint):
                each.name = self.naming.name(str(each.name))
        self.operations.create_table(
            self.naming.name(name), *items, schema=self.naming.schema, **options
        )

    def create_index(
        self,
        name: str,
        table: str,
        columns: Sequence[str],
        *,
        unique: bool = False,
        where: str | None = None,
    ) -> None:
        """Create an index, of the rows alone of which *where* holds."""
        databases = () if where is None else ("sqlite_where", "postgresql_where")
        only: dict[str, Any] = {each: text(str(where)) for each in databases}
        self.operations.create_index(
            self.naming.name(name),
            self.naming.name(table),
            list(columns),
            schema=self.naming.schema,
            unique=unique,
            **only,
        )
