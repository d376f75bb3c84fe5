"""What differs from database to database; everything else is written once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Dialect, Table
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.selectable import ReturnsRows

from jobcore import StoreError


class StoreDialect(Protocol):
    """One kind of database, as the verbs see it."""

    @property
    def language(self) -> Dialect:
        """How statements are written for it."""

    @property
    def channel(self) -> str:
        """Where news are told, if a statement can tell any."""

    @property
    def insert(self) -> Callable[[Table], Any]:
        """An INSERT that can be told what to do where a key is there already."""

    @property
    def has_arrays(self) -> bool:
        """Whether a parameter may be a list."""

    @property
    def has_one_writer(self) -> bool:
        """Whether a transaction that may write is alone: what it has read stays so
        until it ends, though no row is locked."""

    def begin_reading(self, cursor: DBAPICursor) -> None:
        """Start a transaction that sees one snapshot."""

    def begin_writing(self, cursor: DBAPICursor) -> None:
        """Start a transaction that may write, and wait for its lock."""

    def fetch(
        self, cursor: DBAPICursor, clause: ReturnsRows, text: str, values: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        """All rows that *clause*, of which *text* is the text, answers."""

    def now(self, cursor: DBAPICursor) -> datetime:
        """The database's clock."""

    def change_counts(self) -> ClauseElement:
        """An INSERT by which the counts of a queue and status change by n."""

    def damage(self, cursor: DBAPICursor) -> tuple[str, ...]:
        """What the database itself finds wrong with its files and indexes."""

    def is_taken(self, error: Exception) -> bool:
        """Whether the driver says by *error* that a key is there already."""

    def mapped(self, error: Exception) -> StoreError:
        """The error of the contract for one of the driver."""
