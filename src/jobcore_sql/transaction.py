"""What every verb is given: a cursor inside a transaction, and its instant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.selectable import ReturnsRows

from jobcore import JobStatus
from jobcore_sql.conflict import insert_missing, upsert
from jobcore_sql.dialects import StoreDialect
from jobcore_sql.statement import Statement, compiled, prepared

Moves = Counter[tuple[str, JobStatus | None, JobStatus | None]]
"""How many jobs of a queue went from one status (None: they are new) to another (None:
they are deleted)."""


@dataclass
class Transaction:
    """A running transaction, at a store whose clock is shifted by *offset*."""

    cursor: DBAPICursor
    offset: timedelta
    dialect: StoreDialect

    @cached_property
    def now(self) -> datetime:
        """The store's clock, read after the transaction got its lock: whoever waited
        for a lock must not judge by the time before."""
        return self.dialect.now(self.cursor) + self.offset

    def rows(self, clause: ReturnsRows, **parameters: Any) -> list[Any]:
        """All rows that *clause* answers. It is compiled once and kept."""
        statement = self._prepared(clause)
        rows = statement.decoded(self._fetched(clause, parameters))
        return list(map(statement.row, rows))

    def records(
        self, clause: ReturnsRows, like: dict[str, Any], **parameters: Any
    ) -> list[dict[str, Any]]:
        """Dictionaries *like* this one, but for what is in the rows."""
        return self._prepared(clause).records(self._fetched(clause, parameters), like)

    def first(self, clause: ReturnsRows, **parameters: Any) -> Any:
        """The first row, if there is one."""
        statement = self._prepared(clause)
        self.cursor.execute(statement.text, statement.encoded(parameters))
        return statement.first(self.cursor.fetchall())

    def write(self, clause: ClauseElement, *rows: Mapping[str, Any]) -> None:
        """Execute *clause*, once for each of *rows* where any are given."""
        statement = self._prepared(clause)
        values = [statement.encoded(row) for row in rows or [{}]]
        if len(values) == 1:
            self.cursor.execute(statement.text, values[0])
        else:
            self.cursor.executemany(statement.text, values)

    def query(self, statement: ReturnsRows) -> Sequence[Any]:
        """All rows that *statement*, which was made for this one time, answers."""
        once = compiled(statement, self.dialect.language)
        self.cursor.execute(once.text, once.encoded({}))
        return list(map(once.row, once.decoded(self.cursor.fetchall())))

    def upsert(self, table: Table, *rows: Mapping[str, Any]) -> None:
        """Enter *rows* into *table*, in the place of what their keys name."""
        self.write(upsert(self.dialect.insert, table, tuple(rows[0])), *rows)

    def add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Enter those of *rows* into *table* whose keys are not there."""
        if rows:
            names = tuple(rows[0])
            self.write(insert_missing(self.dialect.insert, table, names), *rows)

    def count(self, moves: Moves) -> None:
        """Let the counts follow."""
        deltas = defaultdict[tuple[str, JobStatus], int](int)
        for (queue, before, after), n in moves.items():
            if before is not None:
                deltas[queue, before] -= n
            if after is not None:
                deltas[queue, after] += n
        changed = [
            {"queue": queue, "status": status, "n": n}
            for (queue, status), n in sorted(deltas.items())
            if n
        ]
        if changed:
            self.write(self.dialect.change_counts(), *changed)

    def _fetched(
        self, clause: ReturnsRows, parameters: Mapping[str, Any]
    ) -> Sequence[Sequence[Any]]:
        statement = self._prepared(clause)
        values = statement.encoded(parameters)
        return self.dialect.fetch(self.cursor, clause, statement.text, values)

    def _prepared(self, clause: ClauseElement) -> Statement:
        return prepared(clause, self.dialect.language)
