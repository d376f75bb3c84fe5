"""What differs from database to database; everything else is written once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Column, Connection, Dialect, Engine, Table
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.selectable import ReturnsRows

from jobcore import StoreError


class StoreDialect(Protocol):
    """One kind of database."""

    @property
    def language(self) -> Dialect:
        """How statements are written for it."""

    @property
    def error(self) -> type[Exception]:
        """What its driver raises."""

    def engine(self) -> Engine:
        """An engine for the store's connections, which opens none yet."""

    def prepare(self, connection: Connection) -> None:
        """Make the settings of a fresh connection."""

    def begin_reading(self, cursor: DBAPICursor) -> None:
        """Start a transaction that sees one snapshot."""

    def begin_writing(self, cursor: DBAPICursor) -> None:
        """Start a transaction that may write, and wait for its lock."""

    def never_wait(self, cursor: DBAPICursor) -> None:
        """Let the connection give up at once where another has the lock."""

    def fetch(
        self, cursor: DBAPICursor, clause: ReturnsRows, text: str, values: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        """All rows that *clause*, of which *text* is the text, answers."""

    def now(self, cursor: DBAPICursor) -> datetime:
        """The database's clock."""

    def version(self, cursor: DBAPICursor) -> int:
        """A number that changes when another connection has committed."""

    def upsert(self, table: Table, names: tuple[str, ...]) -> ClauseElement:
        """An INSERT of the columns *names* that replaces them in what is there."""

    def insert_missing(self, table: Table, names: tuple[str, ...]) -> ClauseElement:
        """An INSERT of the columns *names* that leaves what is there."""

    def add_up(self, table: Table, column: Column[Any]) -> ClauseElement:
        """An INSERT that adds *column* to what is there."""

    def damage(self, connection: Connection) -> tuple[str, ...]:
        """What the database itself finds wrong with its files and indexes."""

    def mapped(self, error: Exception) -> StoreError:
        """The error of the contract for one of the driver."""
