"""A store that is being written, so that the kit runs from its first method on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import pytest

from jobcore.store import JobStore

S = TypeVar("S", bound=JobStore)


def unfinished(store: type[S]) -> type[S]:
    """The class *store* with its missing methods filled in: a test that comes to one of
    them is skipped, and says which it was."""
    missing = {name: _missing(name) for name in store.__abstractmethods__}
    return type(store.__name__, (store,), missing)


def _missing(name: str) -> Callable[..., Coroutine[Any, Any, NoReturn]]:
    async def method(*_: object, **__: object) -> NoReturn:
        pytest.skip(f"{name} is not written yet")

    return method
