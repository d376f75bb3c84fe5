"""What a handler may know of its run, and the resources that hosts lend it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Generic, NoReturn, TypeVar

from pydantic_core import from_json

from jobcore.checks import check_delay
from jobcore.details import MAX_LINE, MAX_SIZE, Details, Progress
from jobcore.errors import StoreError, TooLargeError
from jobcore.job import Job
from jobcore.payload import clean, encode, encode_result

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


@dataclass(frozen=True, slots=True)
class Acts:
    """What the run of a context asks its worker to do."""

    complete: Callable[[JobContext, object, object], Awaitable[None]]
    """Completes its job within the transaction on a connection, with a result."""
    note: Callable[[JobContext, Details], Awaitable[None]]
    """Stores what its job carries from now on."""


_SELDOM: Final = 1.0
"""Seconds between two writes of what may be lost."""


class Snoozed(BaseException):
    """Ends the handler of a job that is to run again after *delay*."""

    def __init__(self, delay: timedelta) -> None:
        super().__init__(delay)
        self.delay = delay


@dataclass(slots=True, eq=False)
class JobContext:
    """The run of one attempt. `job.attempt` rises with every claim of the job, so that
    side effects can be fenced with it."""

    job: Job
    worker: str
    resources: Mapping[Resource[Any], Any] = field(default_factory=dict[Any, Any])
    _acts: Acts | None = None
    _completes_itself: bool = False
    _cancelled: bool = False
    _details: Details | None = None
    _noted_at: float = -_SELDOM
    _unsaved: bool = False

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
        acts = self._of_worker()
        self._completes_itself = True
        try:
            await acts.complete(self, connection, result)
        except BaseException:
            self._completes_itself = False
            raise

    @property
    def details(self) -> Details:
        """What the job carries: as the claim brought it, with what this attempt has
        added."""
        if self._details is None:
            self._details = self.job.details
        return self._details

    @property
    def checkpoint(self) -> Any:
        """What was saved last, by this attempt or an earlier one; None at first."""
        return self.details.checkpoint

    async def save(self, checkpoint: object) -> None:
        """Leave *checkpoint*, plain JSON, for the next attempt; it is stored when this
        returns. An operator's retry begins without it. InvalidJobError where it cannot
        be stored, ClaimLostError where another has the job by now."""
        text = encode("checkpoint", checkpoint, MAX_SIZE)
        await self._note(self.details.changed(checkpoint=from_json(text)))

    async def once(
        self, key: str, act: Callable[..., Awaitable[object]], *args: object
    ) -> Any:
        """What *act* returned when it was called for the first time under this *key*,
        by this attempt or an earlier one, as plain JSON or its nearest likeness: it is
        called with *args* unless that is known. It is called again only where its
        caller died, or lost the job, before the result was stored."""
        if key not in self.details.once:
            text, _ = encode_result(await act(*args), None, MAX_SIZE)
            once = {**self.details.once, key: from_json(text)}
            await self._note(self.details.changed(once=once))
        return self.details.once[key]

    async def progress(self, fraction: float | None = None, message: str = "") -> None:
        """Tell how far the job is; it is stored at most once a second, and when the
        attempt ends."""
        progress = Progress(fraction=fraction, message=clean(message)[:MAX_LINE])
        self._change(self.details.changed(progress=progress))
        await self._note_seldom()

    async def log(self, text: str) -> None:
        """Add a line to the log that the job carries, which keeps the latest hundred;
        it is stored at most once a second, and when the attempt ends."""
        self._change(self.details.logged(self.job.attempt, clean(text)))
        await self._note_seldom()

    def snooze(self, delay: timedelta) -> NoReturn:
        """End the attempt here, and let the job run again after *delay*; it spends no
        retry. What is raised for that is no `Exception`: leave it alone."""
        raise Snoozed(check_delay("delay", delay))

    @property
    def unsaved(self) -> Details | None:
        """What the job carries, where that is not stored yet."""
        return self._details if self._unsaved else None

    @property
    def completes_itself(self) -> bool:
        """Whether the handler has called `complete`: with the commit its claim ends,
        though it goes on."""
        return self._completes_itself

    def cancel(self) -> None:
        """Let `cancelled` be true from now on."""
        self._cancelled = True

    def _change(self, details: Details) -> None:
        self._details, self._unsaved = details, True

    async def _note_seldom(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._noted_at >= _SELDOM:
            with suppress(StoreError):
                await self._note(self.details)

    async def _note(self, details: Details) -> None:
        """Store *details*. They count from now on, for whoever adds to them meanwhile;
        what the store does not take now is stored with what comes next."""
        acts, size = self._of_worker(), len(details.written() or b"")
        if size > MAX_SIZE:
            raise TooLargeError("what a job carries", size, MAX_SIZE)
        self._change(details)
        self._noted_at = asyncio.get_running_loop().time()
        await acts.note(self, details)
        if self._details is details:
            self._unsaved = False

    def _of_worker(self) -> Acts:
        if self._acts is None:
            raise LookupError("no worker runs this job")
        return self._acts

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


def inherited() -> dict[str, str]:
    """What jobs that are submitted here have from the one that runs here, if any."""
    context = _current.get(None)
    if context is None or context.job.extra is None:
        return {}
    details = context.job.details
    belonging = {
        "correlation_id": details.correlation_id,
        "traceparent": details.traceparent,
    }
    return {name: text for name, text in belonging.items() if text is not None}
