"""An open database: where the verbs of the store run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence, Set
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import URL, Connection

from jobcore import InsertStatement, InTransaction, NewJob, StoreError
from jobcore_sql.options import SQLOptions
from jobcore_sql.queries import Queries
from jobcore_sql.transaction import Transaction
from jobcore_sql.wake import Waker

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine  # needs an extra

T = TypeVar("T")

Verb = Callable[[Transaction], T]
Single = Callable[[Queries], Awaitable[T]]

_NO_DRIVER = "its driver is missing: pip install 'jobcore-sql[{}]'"


class Database(Protocol):
    """Opens, runs and closes. A verb is a plain function; who runs it sees to it that
    waiting for the database does not stop the event loop."""

    async def open(self, see_to: Callable[[Connection, SQLOptions], T]) -> T:
        """Connect, and answer what *see_to*, which is to see to the tables, says."""

    async def close(self) -> None:
        """Wait for what runs, and leave nothing open."""

    async def look(self, see: Callable[[Connection, SQLOptions], T]) -> T:
        """What *see* says, which is to change nothing."""

    async def read(self, verb: Verb[T], offset: timedelta) -> T:
        """Run *verb* on one snapshot."""

    async def glance(self, verb: Verb[T], offset: timedelta) -> T:
        """Run *verb* with each statement seeing what is newest."""

    async def write(
        self,
        verb: Verb[T],
        offset: timedelta,
        unless: Verb[T | None] | None = None,
        single: Single[T | None] | None = None,
    ) -> T:
        """Run *verb* in a transaction that may write. *unless* is asked first, without
        any lock, and then *single*, where a query may write: what they answer is the
        answer."""

    async def renew(self, verb: Verb[T], offset: timedelta) -> T:
        """Run *verb* in a transaction that may write, behind nothing but its like."""

    @property
    def abilities(self) -> Set[type[Any]]:
        """What it can do in transactions of the host."""

    def using(self, connection: object, offset: timedelta) -> InTransaction | None:
        """The verbs within the transaction that is open on *connection*, if it can."""

    def insert_statement(
        self, jobs: Sequence[NewJob], offset: timedelta
    ) -> InsertStatement | None:
        """The INSERT of *jobs*, for a driver of the host's, if there is one."""

    async def fold(self) -> None:
        """Keep short what transactions append to the counts; called now and then."""

    @property
    def waker(self) -> Waker:
        """Who wakes those who wait for news."""


def database(given: URL | AsyncEngine, options: SQLOptions) -> Database:
    """The database that a URL names, or an engine of the host's connects to."""
    url = given if isinstance(given, URL) else given.url
    if options.schema is not None and url.get_backend_name() != "postgresql":
        problem = f"{url.get_backend_name()} has no schemas: name a prefix instead"
        raise StoreError(problem)
    match url.get_backend_name():
        case "sqlite":
            from jobcore_sql.lanes import Lanes  # noqa: PLC0415 - as others do

            return Lanes(url, options)
        case "postgresql" | "mysql" | "mariadb" as name:
            extra = "postgresql" if name == "postgresql" else "mysql"
            try:
                return _pool(extra, given, options)
            except ImportError as error:
                raise StoreError(_NO_DRIVER.format(extra)) from error
        case other:
            problem = f"there is no dialect for {other}"
            raise StoreError(problem)


def _pool(kind: str, target: URL | AsyncEngine, options: SQLOptions) -> Database:
    """A pool for a *kind* of server; ImportError where its driver is missing."""
    from jobcore_sql.pool import Pool  # noqa: PLC0415 - needs an extra

    is_ours = isinstance(target, URL)
    if kind == "postgresql":
        from jobcore_sql.dialects.postgresql import PostgreSQLDialect  # noqa: PLC0415

        return Pool(target, PostgreSQLDialect(options, is_ours=is_ours), options)
    from jobcore_sql.dialects.mysql import MySQLDialect  # noqa: PLC0415

    return Pool(target, MySQLDialect(options, is_ours=is_ours), options)
