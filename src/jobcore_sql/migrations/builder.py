"""What migrations change tables with: plain names go in, those of a store come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations import Operations
from sqlalchemy import CheckConstraint, inspect
from sqlalchemy.schema import SchemaItem

from jobcore_sql.naming import Naming
from jobcore_sql.partial import Condition, only


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes tables and indexes in the schema of a store, with its prefix."""

    operations: Operations
    naming: Naming

    def create_table(self, name: str, *items: SchemaItem, **options: Any) -> None:
        """Create a table of columns and checks."""
        if self._is_made(name):
            return
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
        where: Condition | None = None,
    ) -> None:
        """Create an index, of the rows alone of which *where* holds."""
        if self._is_made(table, name):
            return
        options = {} if where is None else only(where)
        self.operations.create_index(
            self.naming.name(name),
            self.naming.name(table),
            list(columns),
            schema=self.naming.schema,
            unique=unique,
            **options,
        )

    def _is_made(self, table: str, index: str | None = None) -> bool:
        """Whether a migration has come as far that was cut short, on a database that
        commits each step of it."""
        context = self.operations.get_context()
        if context.as_sql or context.impl.transactional_ddl:
            return False
        inspector, name = inspect(self.operations.get_bind()), self.naming.name(table)
        if index is None:
            return inspector.has_table(name)
        made = {each["name"] for each in inspector.get_indexes(name)}
        return self.naming.name(index) in made
