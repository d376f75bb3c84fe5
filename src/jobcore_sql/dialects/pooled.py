"""What a database is to be able to do, to be reached by a pool of connections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from sqlalchemy import URL

from jobcore_sql.dialects import StoreDialect

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine  # needs an extra


class PoolCursor(Protocol):
    """A driver's connection, as the verbs use it: plain calls, made in a greenlet."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run *statement*, whose placeholders stand for *values*."""

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run *statement* for the values of each of *rows*."""

    def fetchall(self) -> Sequence[Any]:
        """All rows of the last answer."""

    @property
    def is_closed(self) -> bool:
        """Whether it can be used no more."""

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def terminate(self) -> None:
        """Close the connection without waiting for the server."""


class QueryCursor(Protocol):
    """The same for verbs of one statement."""

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """All rows that *statement* answers."""


class PooledDialect(StoreDialect, Protocol):
    """One kind of database with a driver that is asynchronous."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What is raised by the driver, and around it."""

    @property
    def queries_write(self) -> bool:
        """Whether a query may write, so that one is enough for many a verb."""

    @property
    def begin_single(self) -> Callable[[Any], None] | None:
        """How a lone statement begins, where it cannot by itself."""

    def engine(self, url: URL) -> AsyncEngine:
        """An engine of our own."""

    async def cursor(self, connection: AsyncConnection) -> PoolCursor:
        """A cursor straight on the driver's connection."""

    async def host_cursor(self, connection: object) -> PoolCursor:
        """A cursor on *connection* of the host's, in its open transaction;
        InvalidJobError where there is none."""

    def is_whole(self, cursor: Any, error: BaseException) -> bool:
        """Whether the connection is as good as before, though *error* has happened."""

    def is_deadlock(self, error: Exception) -> bool:
        """Whether the server has undone a transaction in favour of another, so that it
        may be repeated at once."""


@runtime_checkable
class NotifyingDialect(PooledDialect, Protocol):
    """One whose server tells connections what others want them to know."""

    def tell(self, cursor: Any, names: Sequence[str]) -> None:
        """Let *names* be told to all who listen, with the commit."""

    def listening(
        self, engine: AsyncEngine, hear: Callable[[str], None]
    ) -> AbstractAsyncContextManager[Awaitable[Any]]:
        """A connection of its own, on which *hear* is told what others notify, and what
        ends when the connection does."""
