"""What a handler may know of its run, and the resources that hosts lend it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


@dataclass(slots=True, eq=False)
class JobContext:
    """The run of one attempt. `job.attempt` rises with every claim of the job, so that
    side effects can be fenced with it."""

    job: Job
    worker: str
    resources: Mapping[Resource[Any], Any] = field(default_factory=dict[Any, Any])
    _cancelled: bool = False

    @property
    def cancelled(self) -> bool:
        """Whether the run is to end: canceled, timed out, its claim lost, the worker
        stopping. Coroutines are told by cancellation; handlers in threads ask here."""
        return self._cancelled

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
