"""What a handler may know of its run, and the resources that hosts lend it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from jobcore.job import Job

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Resource(Generic[T]):
    """Something of the host's that is opened before handlers run and closed after.

    A resource of a worker lives as long as the worker, one of a job as long as one
    attempt; the latter is made from the job's context, and so may use the former.
    """

    name: str
    open: Callable[..., AbstractAsyncContextManager[T]]
    per_job: bool


Completing = Callable[["JobContext", object, object], Awaitable[None]]
"""Completes the job of a context within the transaction on a connection, with a
result."""


@dataclass(slots=True, eq=False)
class JobContext:
    """The run of one attempt. `job.attempt` rises with every claim of the job, so that
    side effects can be fenced with it."""

    job: Job
    worker: str
    resources: Mapping[Resource[Any], Any] = field(default_factory=dict[Any, Any])
    _complete: Completing | None = None
    _completes_itself: bool = False
    _cancelled: bool = False

    @property
    def cancelled(self) -> bool:
        """Whether the run is to end: canceled, timed out, its claim lost, the worker
        stopping. Coroutines are told by cancellation; handlers in threads ask here."""
        return self._cancelled

    async def complete(self, connection: object, result: object = None) -> None:
        """Complete the job within the transaction that is open on *connection*: what
        the handler has done there and the completion are committed together or not at
        all. Raise, and let it be rolled back, for anything to be done otherwise.
        ClaimLostError where another has the job by now, UnsupportedError where the
        store has no transactions."""
        if self._complete is None:
            raise LookupError("no worker runs this job")
        self._completes_itself = True
        try:
            await self._complete(self, connection, result)
        except BaseException:
            self._completes_itself = False
            raise

    @property
    def completes_itself(self) -> bool:
        """Whether the handler has called `complete`: with the commit its claim ends,
        though it goes on."""
        return self._completes_itself

    def cancel(self) -> None:
        """Let `cancelled` be true from now on."""
        self._cancelled = True

    def resource(self, resource: Resource[T]) -> T:
        """The open resource; LookupError where the task did not ask for it."""
        try:
            value: T = self.resources[resource]
        except KeyError:
            raise LookupError(resource.name) from None
        return value


_current: ContextVar[JobContext] = ContextVar("jobcore_job")


def current_job() -> JobContext:
    """The context of the job that runs here; LookupError outside of a handler."""
    return _current.get()


def enter_job(context: JobContext) -> None:
    """Make *context* the current one, in this task and the threads it starts."""
    _current.set(context)
