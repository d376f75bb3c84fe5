"""Tasks whose handlers run within something of the test's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import wraps
from typing import Any

from jobcore.context import current_job
from jobcore.job import Job
from jobcore.tasks import AnyTask, Tasks, is_async

Around = Callable[[Job[Any]], AbstractContextManager[None]]


class SurroundedTasks(Tasks):
    """The same as *tasks*, but that each attempt runs within *around*, a context that
    is made for its job. What it raises counts as raised by the handler."""

    def __init__(self, tasks: Tasks, around: Around) -> None:
        super().__init__()
        self.include(tasks)
        self._original = tasks
        self._around = around

    def __getitem__(self, name: str) -> AnyTask:
        task = self._original[name]
        return replace(task, function=_within(self._around, task.function))


def _within(around: Around, function: Callable[..., Any]) -> Callable[..., Any]:
    if is_async(function):

        @wraps(function)
        async def run(*args: Any, **kwargs: Any) -> Any:
            with around(current_job().job):
                return await function(*args, **kwargs)

    else:

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with around(current_job().job):
                return function(*args, **kwargs)

    return run
