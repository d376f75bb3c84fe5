"""Failures on purpose: a task that fails at first, and then runs as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jobcore.job import Job
from jobcore.tasks import AnyTask, Tasks
from jobcore.testing.around import SurroundedTasks


def failing(
    tasks: Tasks,
    task: AnyTask | str,
    error: Exception | type[Exception],
    *,
    times: int = 1,
) -> Tasks:
    """The same as *tasks*, but that each job of *task* fails with *error* until it has
    failed *times* times; its handler is not called for that. *tasks* stay as they are.
    UnknownTaskError where there is no such task."""
    chosen = tasks[task if isinstance(task, str) else task.name]
    names = {chosen.name, *chosen.options.get("aliases", ())}

    @contextmanager
    def around(job: Job[Any]) -> Iterator[None]:
        if job.task in names and job.failures < times:
            raise error
        yield

    return SurroundedTasks(tasks, around)
