"""Tasks: named handlers, and typed requests for jobs that run them."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import (
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    TypedDict,
    TypeVar,
    overload,
)

from typing_extensions import Unpack

from jobcore.arguments import Arguments
from jobcore.checks import check_limit, check_name
from jobcore.context import JobContext, Resource
from jobcore.errors import InvalidJobError, TaskNameError, UnknownTaskError
from jobcore.job import Limit
from jobcore.recurrence import Cron, Every
from jobcore.request import JobRequest, SubmitOptions
from jobcore.retry import RetryStrategy

P = ParamSpec("P")
C = ParamSpec("C")
R = TypeVar("R")
T = TypeVar("T")


class TaskOptions(TypedDict, total=False):
    """What a task says of its jobs; `submit` may say otherwise, job by job."""

    name: str
    """By default the function's."""
    aliases: Sequence[str]
    """Earlier names, whose jobs run here, too."""
    queue: str
    priority: int
    timeout: timedelta | None
    max_retries: int
    retry: RetryStrategy
    limit: Limit
    """What its jobs may do together, under the limit key `task:<name>`."""
    limit_key: str
    labels: Sequence[str]
    """The arguments that become labels of its jobs."""
    schedule: Cron | Every
    """When a job is made of it again and again, without arguments: workers that have
    the task keep a schedule of its name, and remove it when this is said no more."""
    resources: Sequence[Resource[Any]]
    """The resources of a job that its handler uses."""


@dataclass(frozen=True, eq=False)
class Task(Generic[C, T, P, R]):
    """A named handler. Calling it calls the function, here and now; `job` makes a
    request to run it as a job."""

    name: str
    function: Callable[C, T]
    arguments: Arguments
    options: TaskOptions
    defaults: SubmitOptions
    context: bool

    @cached_property
    def is_async(self) -> bool:
        """Whether calling the function makes a coroutine."""
        return is_async(self.function)

    def __call__(self, *args: C.args, **kwargs: C.kwargs) -> T:
        return self.function(*args, **kwargs)

    def job(self, *args: P.args, **kwargs: P.kwargs) -> JobRequest[R]:
        """A job to be, with these arguments; InvalidJobError where they do not fit."""
        values = self.arguments.encode(args, kwargs)
        options = self.defaults
        if copied := self.options.get("labels"):
            labels = {name: str(values[name]) for name in copied if name in values}
            options = SubmitOptions(**{**options, "labels": labels})
        return JobRequest(self.name, values, options, self.arguments.result_type)


AnyTask = Task[Any, Any, Any, Any]


class _Decorator(Protocol):
    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]]
    ) -> Task[P, Coroutine[Any, Any, R], P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R]) -> Task[P, R, P, R]: ...


class _ContextDecorator(Protocol):
    @overload
    def __call__(
        self, function: Callable[Concatenate[JobContext, P], Coroutine[Any, Any, R]]
    ) -> Task[Concatenate[JobContext, P], Coroutine[Any, Any, R], P, R]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[JobContext, P], R]
    ) -> Task[Concatenate[JobContext, P], R, P, R]: ...


class Tasks:
    """The tasks and resources of a host, by name."""

    def __init__(self) -> None:
        self._tasks: dict[str, AnyTask] = {}
        self._canonical: dict[str, str] = {}
        self.resources: list[Resource[Any]] = []

    def __iter__(self) -> Iterator[AnyTask]:
        return iter(dict.fromkeys(self._tasks.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._tasks

    def __getitem__(self, name: str) -> AnyTask:
        try:
            return self._tasks[name]
        except KeyError:
            raise UnknownTaskError(name) from None

    def names(self) -> tuple[str, ...]:
        """All names that jobs may call the tasks by, aliases among them."""
        return tuple(self._tasks)

    @overload
    def task(
        self, *, context: Literal[False] = False, **options: Unpack[TaskOptions]
    ) -> _Decorator: ...
    @overload
    def task(
        self, *, context: Literal[True], **options: Unpack[TaskOptions]
    ) -> _ContextDecorator: ...
    def task(self, *, context: bool = False, **options: Unpack[TaskOptions]) -> Any:
        """Register the decorated function, async or not, as a task.

        With *context* it takes its `JobContext` as first argument. Functions that are
        not async run in threads. TaskNameError where the name, or an alias, is another
        task's, or differs from it only by case, `-` or `_`.
        """

        def register(function: Callable[..., Any]) -> AnyTask:
            own = getattr(function, "__name__", None)
            name = check_name("task", options.get("name", own))
            if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(
                function
            ):
                raise InvalidJobError(
                    "task", f"{name} is a generator, which never runs"
                )
            arguments = Arguments(function, skipped=1 if context else 0)
            for label in options.get("labels", ()):
                arguments.check_name(label)
            task: AnyTask = Task(
                name, function, arguments, options, _defaults(name, options), context
            )
            if "schedule" in options:
                task.job()
            self._add(task)
            return task

        return register

    def include(self, tasks: Tasks) -> None:
        """Take over all of *tasks*, as of now."""
        for task in tasks:
            self._add(task)
        new = [each for each in tasks.resources if each not in self.resources]
        self.resources.extend(new)

    def worker_resource(self, function: Callable[[], AsyncIterator[T]]) -> Resource[T]:
        """Register a generator as what each worker opens at its start, before its first
        claim, and closes at its end, after its last handler."""
        opened = asynccontextmanager(function)
        resource = Resource(function.__name__, opened, per_job=False)
        self.resources.append(resource)
        return resource

    def job_resource(
        self, function: Callable[[JobContext], AsyncIterator[T]]
    ) -> Resource[T]:
        """Make a generator a resource that is opened for each attempt of the tasks that
        name it, and closed after success, failure and cancellation alike; it sees the
        handler's exception."""
        return Resource(function.__name__, asynccontextmanager(function), per_job=True)

    def queues(self, default: str) -> tuple[str, ...]:
        """The queues that the tasks name, in the order of registration; *default*
        stands for tasks that name none."""
        return tuple(
            dict.fromkeys(each.defaults.get("queue", default) for each in self)
        )

    def _add(self, task: AnyTask) -> None:
        names = (task.name, *task.options.get("aliases", ()))
        for name in names:
            check_name("task", name)
            key = name.casefold().translate({ord("-"): None, ord("_"): None})
            existing = self._canonical.setdefault(key, name)
            if existing != name and self._tasks.get(existing) is not task:
                raise TaskNameError(name, existing)
            if self._tasks.setdefault(name, task) is not task:
                raise TaskNameError(name, name)


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling *function* makes a coroutine."""
    call = getattr(function, "__call__", None)  # noqa: B004 - its kind matters, not whether
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _defaults(name: str, options: TaskOptions) -> SubmitOptions:
    shared = ("queue", "priority", "timeout", "max_retries", "limit_key", "limit")
    chosen: Any = {key: value for key, value in options.items() if key in shared}
    defaults: SubmitOptions = chosen
    if "limit" in options:
        check_limit("limit", options["limit"])
        defaults.setdefault("limit_key", f"task:{name}")
    return defaults
