"""What every test shares: the event loop is asyncio's, and no test waits in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import pytest

from tests.jobcore_redis import servers as redis
from tests.jobcore_sql import mysql, postgresql


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def pytest_sessionfinish() -> None:
    """End the servers that tests have started."""
    mysql.stop()
    postgresql.stop()
    redis.stop()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Cancel an asynchronous test after half of its time limit.

    So it fails where it waits, and its fixtures end in order. At the limit itself it is
    interrupted wherever it happens to be, and its event loop is left in pieces.
    """
    if iscoroutinefunction(pyfuncitem.obj):
        pyfuncitem.obj = _bounded(pyfuncitem.obj, _limit(pyfuncitem))
    return (yield)


def _limit(item: pytest.Item) -> float:
    """The time limit of *item* in seconds, as pytest-timeout knows it."""
    marker = item.get_closest_marker("timeout")
    given = marker.args[0] if marker else item.config.getoption("timeout")
    return float(item.config.getini("timeout") if given is None else given)


def _bounded(
    test: Callable[..., Awaitable[None]], limit: float
) -> Callable[..., Awaitable[None]]:
    @wraps(test)
    async def bounded(**arguments: Any) -> None:
        # A worker that is cancelled waits for its handlers until cancelled again.
        async with asyncio.timeout(limit * 2 / 3 or None):
            async with asyncio.timeout(limit / 2 or None):
                await test(**arguments)

    return bounded
