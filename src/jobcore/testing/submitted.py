"""What was submitted: jobs that a test expects, or else a list of those there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict, TypeVar, overload

from pydantic_core import to_json, to_jsonable_python
from typing_extensions import Unpack

from jobcore.default_manager import DefaultJobManager
from jobcore.job import Job, JobStatus, Limit
from jobcore.query import Filter
from jobcore.tasks import Task
from jobcore.testing.work import found

R = TypeVar("R")


class Expected(TypedDict, total=False):
    """Options of `submit`, as a job that was submitted shows them, and its status."""

    status: JobStatus
    queue: str
    priority: int
    run_at: datetime
    delay: timedelta
    """How long after its submit it is due, to the second."""
    unique_key: str | None
    labels: Mapping[str, str]
    """Some of its labels."""
    limit_key: str | None
    limit: Limit | None
    timeout: timedelta | None
    deadline: timedelta | None
    expires_in: timedelta | None
    correlation_id: str | None
    max_retries: int


@overload
async def assert_submitted(
    jobs: DefaultJobManager,
    task: Task[Any, Any, Any, R],
    arguments: Mapping[str, Any] | None = None,
    **options: Unpack[Expected],
) -> list[Job[R]]: ...
@overload
async def assert_submitted(
    jobs: DefaultJobManager,
    task: str,
    arguments: Mapping[str, Any] | None = None,
    **options: Unpack[Expected],
) -> list[Job[Any]]: ...
async def assert_submitted(
    jobs: DefaultJobManager,
    task: Task[Any, Any, Any, Any] | str,
    arguments: Mapping[str, Any] | None = None,
    **options: Unpack[Expected],
) -> list[Job[Any]]:
    """The jobs of *task* that were submitted, the earliest first, whatever became of
    them: those that have *arguments* among theirs, and *options* of this kind.

    AssertionError where there is none, which lists the jobs that there are. To expect
    one and only one, write `(job,) = await assert_submitted(...)`. What was submitted
    in a transaction is there once that has committed.
    """
    matching = await _matching(jobs, task, arguments, options)
    if not matching:
        wanted = _told(_name(task), arguments or {}, dict(options))
        raise AssertionError(f"nothing submitted like {wanted}; {await _list(jobs)}")
    return matching


async def assert_not_submitted(
    jobs: DefaultJobManager,
    task: Task[Any, Any, Any, Any] | str,
    arguments: Mapping[str, Any] | None = None,
    **options: Unpack[Expected],
) -> None:
    """AssertionError where `assert_submitted` would find jobs; it lists them."""
    matching = await _matching(jobs, task, arguments, options)
    if matching:
        raise AssertionError(f"submitted after all:{_lines(matching)}")


async def _matching(
    jobs: DefaultJobManager,
    task: Task[Any, Any, Any, Any] | str,
    arguments: Mapping[str, Any] | None,
    options: Expected,
) -> list[Job[Any]]:
    there = await found(jobs.store, Filter(task=_name(task)))
    result_type = None if isinstance(task, str) else task.arguments.result_type
    wanted = _plain(arguments or {})
    return [
        job.typed(result_type, duplicate=False)
        for job in reversed(there)
        if _contains(job.arguments, wanted) and _has(job, options)
    ]


def _has(job: Job[Any], options: Expected) -> bool:
    for name, wanted in dict[str, Any](**options).items():
        match name:
            case "labels":
                fits = _contains(job.labels, wanted)
            case "run_at":
                fits = job.due_at == wanted
            case "delay":
                late = job.due_at - job.created_at
                fits = round(late.total_seconds()) == round(wanted.total_seconds())
            case "deadline" | "expires_in" | "correlation_id":
                fits = getattr(job.details, name) == wanted
            case _:
                fits = getattr(job, name) == wanted
        if not fits:
            return False
    return True


def _contains(there: Mapping[str, Any], wanted: Any) -> bool:
    return all(name in there and there[name] == wanted[name] for name in wanted)


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = to_jsonable_python(dict(arguments))
    return plain


def _name(task: Task[Any, Any, Any, Any] | str) -> str:
    return task if isinstance(task, str) else task.name


async def _list(jobs: DefaultJobManager) -> str:
    there = await found(jobs.store)
    return f"there is:{_lines(reversed(there))}" if there else "there is no job"


def _lines(jobs: Iterable[Job[Any]]) -> str:
    return "".join(f"\n  {_line(job)}" for job in jobs)


def _line(job: Job[Any]) -> str:
    shown: dict[str, Any] = {"queue": job.queue, "priority": job.priority}
    shown["status"] = job.status
    if late := round((job.due_at - job.created_at).total_seconds()):
        shown["delay"] = timedelta(seconds=late)
    for name in ("unique_key", "limit_key", "labels"):
        if value := getattr(job, name):
            shown[name] = value
    return _told(job.task, job.arguments, shown)


def _told(task: str, arguments: Mapping[str, Any], options: dict[str, Any]) -> str:
    text = to_json(_plain(arguments)).decode()
    return ", ".join([f"{task} {text}", *(f"{k}={v}" for k, v in options.items())])
