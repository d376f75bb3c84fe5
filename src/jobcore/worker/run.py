"""One run: from a claim to the value that its attempt ended with."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import anyio.to_thread
from pydantic import TypeAdapter

from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.context import JobContext, Resource, enter_job
from jobcore.errors import InvalidJobError
from jobcore.tasks import AnyTask, is_async


class Interruption(StrEnum):
    """Why a handler is told to end."""

    TIMEOUT = "timed out"
    CANCEL = "canceled"
    STOP = "the worker stops"
    LOST = "its claim is lost"


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: the handler's value, or what it raised, as *outcome*.
    A *hopeless* one would end like that again."""

    outcome: Outcome
    value: object = None
    result_type: TypeAdapter[Any] | None = None
    error: BaseException | None = None
    hopeless: bool = False


class _ArgumentsError(Exception):
    """The stored arguments do not fit the handler; no attempt will change that."""


class Run:
    """The execution of one claim by one task's handler."""

    def __init__(
        self,
        claim: Claim,
        task: AnyTask,
        worker: str,
        resources: Mapping[Resource[Any], Any],
    ) -> None:
        self.claim = claim
        self.interruption: Interruption | None = None
        self._task = task
        self._context = JobContext(claim.job, worker, dict(resources))
        self._async = is_async(task.function)
        self._running: asyncio.Task[Any] | None = None
        self._over = False

    async def execute(self) -> Ended:
        """Resolve, validate, run within the timeout, and tell how it ended."""
        if self.interruption is not None:
            return self._ended_by(None)
        self._running = asyncio.current_task()
        timer = self._start_timer()
        try:
            value = await self._call()
        except _ArgumentsError as error:
            return Ended(Outcome.FAILED, error=error.__cause__, hopeless=True)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it raises is its outcome
            return self._ended_by(error)
        finally:
            self._over = True
            if timer is not None:
                timer.cancel()
            while self._running is not None and self._running.cancelling():
                self._running.uncancel()
        if self.interruption is Interruption.TIMEOUT:
            return self._ended_by(None)
        return Ended(Outcome.SUCCEEDED, value, self._task.arguments.result_type)

    def interrupt(self, why: Interruption) -> None:
        """Tell the handler to end; handlers in threads have to ask. It is told once,
        and again only where it went on in spite of that and its worker stops or its
        claim is lost."""
        again = why in {Interruption.STOP, Interruption.LOST}
        if self._over or self.interruption is why or (self.interruption and not again):
            return
        if self.interruption is None or why is Interruption.LOST:
            self.interruption = why
        self._context.cancel()
        if self._async and self._running is not None:
            self._running.cancel()

    def given_up(self) -> Ended:
        """How the attempt counts though its handler has not ended."""
        return self._ended_by(None)

    def _start_timer(self) -> asyncio.TimerHandle | None:
        timeout = self.claim.job.timeout
        if timeout is None:
            return None
        loop = asyncio.get_running_loop()
        seconds = timeout.total_seconds()
        return loop.call_later(seconds, self.interrupt, Interruption.TIMEOUT)

    async def _call(self) -> object:
        try:
            arguments = self._task.arguments.decode(self.claim.job.payload)
        except InvalidJobError as error:
            raise _ArgumentsError from error
        enter_job(self._context)
        args = arguments.args
        if self._task.context:
            args = (self._context, *args)
        wanted = self._task.options.get("resources", ())
        if not wanted:
            return await self._call_handler(args, arguments.kwargs)
        async with AsyncExitStack() as stack:
            for resource in wanted:
                opened = await stack.enter_async_context(resource.open(self._context))
                self._context.resources[resource] = opened
            return await self._call_handler(args, arguments.kwargs)

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

    def _ended_by(self, error: BaseException | None) -> Ended:
        match self.interruption:
            case Interruption.TIMEOUT:
                timeout = TimeoutError(f"took longer than {self.claim.job.timeout}")
                timeout.__cause__ = error
                return Ended(Outcome.TIMED_OUT, error=timeout)
            case Interruption.CANCEL:
                return Ended(Outcome.CANCELED)
            case Interruption.STOP:
                return Ended(Outcome.RELEASED)
            case Interruption.LOST:
                return Ended(Outcome.LOST)
            case None:
                return Ended(Outcome.FAILED, error=error)
