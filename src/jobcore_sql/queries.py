"""What every verb of one statement is given: a cursor outside of any transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.selectable import ReturnsRows

from jobcore_sql.dialects import StoreDialect
from jobcore_sql.dialects.pooled import QueryCursor
from jobcore_sql.statement import Statement, prepared


@dataclass(slots=True)
class Queries:
    """Statements that commit by themselves, at a store whose clock is shifted by
    *offset*. *news* says what is to be told with one of queues that get jobs."""

    cursor: QueryCursor
    offset: timedelta
    dialect: StoreDialect
    news: Callable[[Set[str]], Sequence[str]]

    async def first(self, clause: ReturnsRows, **parameters: Any) -> Any:
        """The first row, if there is one."""
        statement = self._prepared(clause)
        return statement.first(await self._fetched(statement, parameters))

    async def records(
        self, clause: ReturnsRows, like: dict[str, Any], **parameters: Any
    ) -> list[dict[str, Any]]:
        """Dictionaries *like* this one, but for what is in the rows."""
        statement = self._prepared(clause)
        return statement.records(await self._fetched(statement, parameters), like)

    async def write(self, clause: ClauseElement, **parameters: Any) -> None:
        """Execute *clause*."""
        await self._fetched(self._prepared(clause), parameters)

    async def _fetched(
        self, statement: Statement, parameters: Mapping[str, Any]
    ) -> Sequence[Sequence[Any]]:
        return await self.cursor.fetch(statement.text, statement.encoded(parameters))

    def _prepared(self, clause: ClauseElement) -> Statement:
        return prepared(clause, self.dialect.language)
