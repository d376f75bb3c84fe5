"""The store within a transaction of the host's, on the host's connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy.util import greenlet_spawn

from jobcore import Answer, Inserted, InTransaction, JobStatus, NewJob, Transition
from jobcore_sql.apply import apply
from jobcore_sql.dialects.pooled import NotifyingDialect, PooledDialect
from jobcore_sql.insert import insert
from jobcore_sql.transaction import Transaction

T = TypeVar("T")


class HostTransaction(InTransaction):
    """Runs verbs where the host is, and leaves everything else to it."""

    def __init__(
        self, dialect: PooledDialect, connection: object, offset: timedelta
    ) -> None:
        self._dialect = dialect
        self._connection = connection
        self._offset = offset

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        return await self._run(self._insert, jobs)

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        return await self._run(apply, transitions)

    def _insert(
        self, transaction: Transaction, jobs: Sequence[NewJob]
    ) -> list[Inserted]:
        inserted = insert(transaction, jobs)
        queues = {
            each.job.queue
            for each in inserted
            if each.created and each.job.status is JobStatus.QUEUED
        }
        if queues and isinstance(self._dialect, NotifyingDialect):
            # To everybody, also the own process, which does not know of the commit.
            self._dialect.tell(transaction.cursor, [f":{each}" for each in queues])
        return inserted

    async def _run(self, verb: Callable[..., T], argument: object) -> T:
        try:
            cursor: Any = await self._dialect.host_cursor(self._connection)
            transaction = Transaction(cursor, self._offset, self._dialect)
            return await greenlet_spawn(verb, transaction, argument)
        except self._dialect.errors as error:
            raise self._dialect.mapped(error) from error
