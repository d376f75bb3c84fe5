"""A lane: one thread with one connection, where transactions follow one another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from jobcore import StoreError
from jobcore_sql.dialects import StoreDialect

T = TypeVar("T")


class Lane:
    """Runs whole transactions on a thread of its own.

    Whoever awaits one may be cancelled at any moment: a transaction that has begun
    still runs to its end, and one that has not begun never will.
    """

    def __init__(self, name: str, engine: Engine, dialect: StoreDialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"jobcore-sql-{name}")
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What *work* makes of the lane's connection."""
        future = self._thread.submit(self._run, work)
        return await asyncio.wrap_future(future)

    async def close(self) -> None:
        """Close the connection after the last transaction, and end the thread. That
        happens even when the wait for it is cancelled."""
        last = self._thread.submit(self._disconnect)
        self._thread.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(last))
        self._thread.shutdown()  # which has nothing left to do

    def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            return work(self._connected())
        except (SQLAlchemyError, self._dialect.error) as error:
            raise self._dialect.mapped(error) from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            problem = f"a row or value is not of this release: {error!r:.200}"
            raise StoreError(problem) from error

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect()
            try:
                self._dialect.prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
