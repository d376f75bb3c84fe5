"""A lane: one thread with one connection, where transactions follow one another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from jobcore import StoreError
from jobcore_sql.dialects.sqlite import SQLiteDialect

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Call(Generic[T]):
    """Work for a lane, and where its caller waits."""

    work: Callable[[], T]
    answer: asyncio.Future[T]


class Lane:
    """Runs whole transactions on a thread of its own.

    Whoever awaits one may be cancelled at any moment: a transaction that has begun
    still runs to its end, and one that has not begun never will. The thread serves
    this one purpose, as a pool's way there and back costs twice as much.
    """

    def __init__(self, name: str, engine: Engine, dialect: SQLiteDialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._connection: Connection | None = None
        self._calls: SimpleQueue[_Call[Any] | None] = SimpleQueue()
        # Nobody waits at exit for a store that was not closed.
        self._thread = Thread(
            target=self._serve, name=f"jobcore-sql-{name}", daemon=True
        )
        self._thread.start()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What *work* makes of the lane's connection."""
        return await self._call(lambda: self._run(work))

    async def close(self) -> None:
        """Close the connection after the last transaction, and end the thread. That
        happens even when the wait for it is cancelled."""
        last = self._call(self._disconnect)
        self._calls.put(None)
        await asyncio.shield(last)
        self._thread.join()  # which has nothing left to do

    def _call(self, work: Callable[[], T]) -> asyncio.Future[T]:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._calls.put(_Call(work, answer))
        return answer

    def _serve(self) -> None:
        while self._serve_one():
            pass

    def _serve_one(self) -> bool:
        call = self._calls.get()
        if call is None:
            return False
        if not call.answer.cancelled():
            result, error = None, None
            try:
                result = call.work()
            except BaseException as caught:  # noqa: BLE001 - it is the caller's
                error = caught
            with suppress(RuntimeError):  # whose loop may be gone by now
                loop = call.answer.get_loop()
                loop.call_soon_threadsafe(_settle, call.answer, result, error)
        return True

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


def _settle(
    answer: asyncio.Future[Any], result: object, error: BaseException | None
) -> None:
    if answer.cancelled():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
