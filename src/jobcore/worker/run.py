"""One run: from a claim to the value that its attempt ended with."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from enum import StrEnum
from typing import Any

import anyio.to_thread

from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.context import Acts, JobContext, Resource, Snoozed, enter_job
from jobcore.deadline import is_expired, time_left
from jobcore.errors import InvalidJobError
from jobcore.lifecycle import DEADLINE, EXPIRED
from jobcore.report import Report
from jobcore.retry import RetryStrategy, never
from jobcore.tasks import AnyTask


class Interruption(StrEnum):
    """Why a handler is told to end."""

    TIMEOUT = "timed out"
    CANCEL = "canceled"
    STOP = "the worker stops"
    LOST = "its claim is lost"


_TIMEOUT, _SUCCEEDED = Interruption.TIMEOUT, Outcome.SUCCEEDED


def key_of(claim: Claim) -> str:
    """What tells a claim from all others: a job may have been claimed twice."""
    return claim.token + claim.job.id


class _NotRunError(Exception):
    """The handler is not called: its arguments do not fit, which no attempt will
    change, or it is too late."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report


class Run:
    """The execution of one claim by one task's handler."""

    def __init__(
        self,
        claim: Claim,
        task: AnyTask,
        worker: str,
        resources: Mapping[Resource[Any], Any],
        acts: Acts | None = None,
    ) -> None:
        self.claim = claim
        self.interruption: Interruption | None = None
        self._task = task
        self.context: JobContext = JobContext(claim.job, worker, resources, acts)
        self.key: str = key_of(claim)
        self._async = task.is_async
        self._running: asyncio.Task[Any] | None = None
        self._over = False
        self._reason: str | None = None

    async def execute(self) -> Report | None:
        """Resolve, validate, run within the timeout, and tell how it ended; None where
        the claim was lost meanwhile, as then there is nobody to tell."""
        if self.interruption is not None:
            return self._interrupted(None)
        self._running = asyncio.current_task()
        timer = self._start_timer()
        try:
            value = await self._call()
        except _NotRunError as error:
            return error.report
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it raises is its outcome
            return self._interrupted(error)
        finally:
            self._over = True
            if timer is not None:
                timer.cancel()
            while self._running is not None and self._running.cancelling():
                self._running.uncancel()
        if self.interruption is _TIMEOUT:
            return self._interrupted(None)
        result_type = self._task.arguments.result_type
        return Report(self.claim, _SUCCEEDED, value, result_type)

    def interrupt(self, why: Interruption) -> None:
        """Tell the handler to end; handlers in threads have to ask. It is told once,
        and again only where it went on in spite of that and its worker stops or its
        claim is lost."""
        again = why in {Interruption.STOP, Interruption.LOST}
        if self._over or self.interruption is why or (self.interruption and not again):
            return
        if self.interruption is None or why is Interruption.LOST:
            self.interruption = why
        self.context.cancel()
        if self._async and self._running is not None:
            self._running.cancel()

    def given_up(self) -> Report | None:
        """How the attempt counts though its handler has not ended."""
        return self._interrupted(None)

    def abandon(self) -> None:
        """Cancel the handler once more, and expect nothing of it."""
        if self._running is not None:
            self._running.cancel()

    @property
    def completes_itself(self) -> bool:
        """Whether the handler ends its claim in a transaction of its own."""
        return self.context.completes_itself

    def _start_timer(self) -> asyncio.TimerHandle | None:
        timeout = self._timeout()
        if timeout is None:
            return None
        loop = asyncio.get_running_loop()
        seconds = timeout.total_seconds()
        return loop.call_later(seconds, self.interrupt, Interruption.TIMEOUT)

    def _timeout(self) -> timedelta | None:
        """How long the attempt may take, by its timeout and the job's deadline."""
        job = self.claim.job
        left = time_left(job)
        if left is None or (job.timeout is not None and job.timeout < left):
            return job.timeout
        self._reason = DEADLINE
        return left

    async def _call(self) -> object:
        if self.claim.job.extra is not None:
            self._refuse_late()
        try:
            args, kwargs = self._task.arguments.decode(self.claim.job.payload)
        except InvalidJobError as error:
            raise _NotRunError(self._failed(error, never())) from error
        enter_job(self.context)
        if self._task.context:
            args = (self.context, *args)
        wanted = self._task.options.get("resources", ())
        if not wanted and self._async:
            return await self._task.function(*args, **kwargs)
        async with AsyncExitStack() as stack:
            self.context.resources = lent = dict(self.context.resources)
            for resource in wanted:
                lent[resource] = await stack.enter_async_context(
                    resource.open(self.context)
                )
            return await self._call_handler(args, kwargs)

    async def _call_handler(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> object:
        function = self._task.function
        if self._async:
            return await function(*args, **kwargs)
        value = await anyio.to_thread.run_sync(
            lambda: function(*args, **kwargs), limiter=anyio.CapacityLimiter(1)
        )
        if inspect.isawaitable(value):  # a coroutine function in a plain wrapper
            self._async = True
            return await value
        return value

    def _interrupted(self, error: BaseException | None) -> Report | None:
        match self.interruption:
            case Interruption.TIMEOUT:
                return self._timed_out(error)
            case Interruption.CANCEL:
                return Report(self.claim, Outcome.CANCELED)
            case Interruption.STOP:
                return Report(self.claim, Outcome.RELEASED)
            case Interruption.LOST:
                return None
            case None if isinstance(error, Snoozed):
                return Report(self.claim, Outcome.RELEASED, delay=error.delay)
            case None:
                return self._failed(error, self._task.options.get("retry"))

    def _refuse_late(self) -> None:
        left = time_left(self.claim.job)
        if is_expired(self.claim.job):
            expired = Report(self.claim, Outcome.CANCELED, reason=EXPIRED)
            raise _NotRunError(expired)
        if left is not None and left <= timedelta(0):
            raise _NotRunError(self._timed_out(None))

    def _timed_out(self, error: BaseException | None) -> Report:
        claim, reason = self.claim, self._reason
        allowed = f"its {reason} allows" if reason else claim.job.timeout
        timeout = TimeoutError(f"took longer than {allowed}")
        timeout.__cause__ = error
        retry = never() if reason else self._task.options.get("retry")
        return Report(
            claim, Outcome.TIMED_OUT, error=timeout, retry=retry, reason=reason
        )

    def _failed(
        self, error: BaseException | None, retry: RetryStrategy | None
    ) -> Report:
        return Report(self.claim, Outcome.FAILED, error=error, retry=retry)
