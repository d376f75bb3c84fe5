"""The store's own statements for PostgreSQL, and its connections, without the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from sqlalchemy import bindparam, insert, make_url
from sqlalchemy.sql import ClauseElement

from jobcore import Claim, ClaimRequest, Job, JobStatus, NewJob, lifecycle
from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.bulk import insert_rows
from jobcore_sql.dialects.postgresql import PostgreSQLDialect
from jobcore_sql.single.claim import claim
from jobcore_sql.single.end import end
from jobcore_sql.statement import Statement, prepared
from jobcore_sql.tables import jobs
from jobcore_sql.transaction import Transaction

QUEUE = "default"
BATCH = 100
TOKEN = "token"  # noqa: S105 - it opens nothing
ROW = (
    *("id", "payload", "task", "queue", "priority", "labels", "unique_scope"),
    *("max_retries", "status", "created_at", "due_at"),
)
"""The columns of a new job that are not null; the first two differ from job to job."""

_DIALECT = PostgreSQLDialect(SQLOptions(), is_ours=True)
_NO_CURSOR: Any = None


@dataclass(frozen=True)
class Bare:
    """A statement of the store, and values for all of its parameters."""

    statement: Statement
    parameters: Mapping[str, Any]

    @property
    def text(self) -> str:
        return self.statement.text

    def values(self, **changed: Any) -> list[Any]:
        """What the driver is given, with some parameters *changed*."""
        assert changed.keys() <= self.parameters.keys(), list(self.parameters)
        return self.statement.encoded({**self.parameters, **changed})

    def literals(self) -> list[str]:
        """The values as SQL has them."""
        return list(map(_literal, self.values()))


def claiming(limit: int = BATCH, queue: str = QUEUE) -> Bare:
    """The claim of up to *limit* jobs. Its token is `holder`."""
    lease = timedelta(seconds=30)
    request = ClaimRequest(
        token=TOKEN, worker="worker", queues=(queue,), limit=limit, lease=lease
    )
    return _first(claim, request)


def ending() -> Bare:
    """The completion of all jobs of a claim: `new_id_list`, `new_result_list`, and what
    they share, `new_token` and `new_receipt`."""
    ends = []
    for number in "12":
        job = _a_job(number).changed(
            {
                "status": JobStatus.IN_PROGRESS,
                "worker": "worker",
                "started_at": datetime.now(UTC),
                "attempt": 1,
            }
        )
        ends.append(lifecycle.complete(Claim(job, TOKEN), number.encode()))
    return _first(end, ends)


def inserting() -> Bare:
    """The INSERT of one row, of which the parameters are called as the columns."""
    given = {name: bindparam(name, type_=jobs.c[name].type) for name in ROW}
    job = _a_job("1")
    row = {name: getattr(job, name) for name in ROW}
    return Bare(prepared(insert(jobs).values(given), _DIALECT.language), row)


def inserting_many() -> Bare:
    """The INSERT of any number of rows: `new_id_list` and `new_payload_list`."""
    alike = [[getattr(_a_job(number), name) for name in ROW] for number in "12"]
    rows = [alike[0], alike[1][:2] + alike[0][2:]]
    return _first(insert_rows, jobs, ROW, rows)


@asynccontextmanager
async def connections(url: str, count: int) -> AsyncIterator[Sequence[Any]]:
    """Connections of asyncpg with the settings of the store's, to a database that has
    its tables."""
    async with SQLJobStore(url):
        engine = _DIALECT.engine(make_url(url))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        drivers = []
        for _ in range(count):
            connection = await stack.enter_async_context(engine.connect())
            raw = await connection.get_raw_connection()
            drivers.append(raw.driver_connection)
        yield drivers


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, timedelta):
        return f"'{value.total_seconds()} seconds'"
    return str(value) if isinstance(value, int) else f"'{value}'"


def _a_job(number: str) -> Job[Any]:
    new = NewJob(task="work", id=number, payload=number.encode(), max_retries=3)
    return Job.stored(new, datetime.now(UTC))


def _first(verb: Callable[..., object], *arguments: object) -> Bare:
    """The first statement of *verb*."""
    try:
        begun = verb(_Listening(_NO_CURSOR, timedelta(0), _DIALECT), *arguments)
        if isinstance(begun, Coroutine):
            begun.send(None)
    except _HeardError as heard:
        return Bare(prepared(heard.clause, _DIALECT.language), heard.parameters)
    raise AssertionError


class _HeardError(Exception):
    def __init__(self, clause: ClauseElement, parameters: Mapping[str, Any]) -> None:
        self.clause = clause
        self.parameters = parameters
        super().__init__()


class _Listening(Transaction):
    """Runs nothing, and tells what was to be run; verbs of one statement, which have no
    transaction, ask it for the same."""

    def records(
        self,
        clause: ClauseElement,
        like: object,  # noqa: ARG002 - nothing is answered
        **parameters: Any,
    ) -> NoReturn:
        raise _HeardError(clause, parameters)

    def first(self, clause: ClauseElement, **parameters: Any) -> NoReturn:
        raise _HeardError(clause, parameters)

    def write(self, clause: ClauseElement, *rows: Mapping[str, Any]) -> NoReturn:
        raise _HeardError(clause, rows[0])
