"""The tasks that a worker is to run, found by the name of a module and an object."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import reduce
from importlib import import_module
from inspect import isawaitable, signature
from pathlib import Path

from jobcore.cli.mistakes import MistakeError
from jobcore.tasks import Tasks


def load(target: str) -> object:
    """What `module:object` names, seen from the working directory. MistakeError where
    there is no such thing; what goes wrong within the module is raised as it is."""
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise MistakeError(repr(target), "must be module:object, as in app.jobs:tasks")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return reduce(getattr, name.split("."), import_module(module))
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise MistakeError(
            f"there is no module {error.name!r},", f"seen from {here}"
        ) from error
    except AttributeError as error:
        if error.name is None or error.name not in name.split("."):
            raise
        raise MistakeError(f"module {module!r}", f"has no {name!r}") from error


@asynccontextmanager
async def lent(found: object, target: str) -> AsyncIterator[Tasks]:
    """The tasks that *found* is, or gives: it may be a function, async or not, and what
    it returns an async context manager, which is left in the end."""
    if callable(found):
        found = _called(found, target)
    if isawaitable(found):
        found = await found
    if isinstance(found, AbstractAsyncContextManager):
        async with found as entered:
            yield _checked(entered, target)
    else:
        yield _checked(found, target)


def _called(function: Callable[..., object], target: str) -> object:
    try:
        signature(function).bind()
    except TypeError as error:
        raise MistakeError(repr(target), f"cannot be called so: {error}") from error
    return function()


def _checked(found: object, target: str) -> Tasks:
    if not isinstance(found, Tasks):
        kind = type(found).__name__
        raise MistakeError(
            repr(target), f"gives no Tasks, but something of type {kind}"
        )
    return found
