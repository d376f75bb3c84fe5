"""What every verb is given: a connection inside a transaction, and its instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, Table

from jobcore import JobStatus
from jobcore_sql.dialects import StoreDialect
from jobcore_sql.tables import counts

Deltas = Counter[tuple[str, JobStatus]]
"""How many jobs more, or fewer, a queue has in a status."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A running transaction. *now* is the store's clock, read after the transaction
    got its lock: whoever waited for a lock must not judge by the time before."""

    connection: Connection
    now: datetime
    dialect: StoreDialect

    def rows(self, statement: Executable, **parameters: Any) -> Sequence[Any]:
        """All rows that *statement* answers."""
        return self.connection.execute(statement, parameters).all()

    def first(self, statement: Executable, **parameters: Any) -> Any:
        """The first row, if there is one."""
        return self.connection.execute(statement, parameters).first()

    def write(self, statement: Executable, *rows: Mapping[str, Any]) -> int:
        """Execute *statement*, once for each of *rows* where any are given, and say how
        many rows of the database it met."""
        return self.connection.execute(statement, rows or None).rowcount

    def upsert(self, table: Table, *rows: Mapping[str, Any]) -> None:
        """Enter *rows* into *table*, in the place of what their keys name."""
        self.connection.execute(self.dialect.upsert(table, tuple(rows[0])), rows)

    def add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Enter those of *rows* into *table* whose keys are not there."""
        if rows:
            self.connection.execute(self.dialect.insert_missing(table), rows)

    def count(self, deltas: Deltas) -> None:
        """Let the counts follow."""
        changed = [
            {"queue": queue, "status": status, "n": n}
            for (queue, status), n in sorted(deltas.items())
            if n
        ]
        if changed:
            self.connection.execute(self.dialect.add_up(counts, counts.c.n), changed)
