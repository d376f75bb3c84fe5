"""What the driver's errors mean: the one table of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from redis import exceptions

from jobcore import JobcoreError, StoreError, StoreUnavailableError

NEVER_OPENED: Final = "it is not open; use it inside `async with`"
CLOSED: Final = "it was closed"
OTHER_PROCESS: Final = "it was opened in another process"
OTHER_LOOP: Final = "it was opened in another event loop"
OPEN: Final = "it is open already"

_CLOSED: Final = AttributeError
"""What the driver raises where a connection is closed while it is being made."""

ERRORS: Final = (
    exceptions.RedisClusterException,  # no RedisError
    exceptions.RedisError,
    OSError,
    TimeoutError,
    _CLOSED,
)

ODD: Final = (ArithmeticError, LookupError, TypeError, ValueError)
"""What is raised where an answer, or what is kept, is not of this release."""

_PASSING: Final = (
    exceptions.AskError,
    exceptions.BusyLoadingError,
    exceptions.ClusterDownError,
    exceptions.ConnectionError,
    exceptions.MasterDownError,
    exceptions.ReadOnlyError,
    exceptions.RedisClusterException,
    exceptions.TimeoutError,
    exceptions.TryAgainError,
    OSError,
    TimeoutError,
    _CLOSED,
)
"""What is worth repeating: the server is being started, replaced or moved."""
_PASSING_WORDS: Final = (
    "BUSY ",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "NOREPLICAS",
    "READONLY",
    "TRYAGAIN",
    "UNBLOCKED",
)
"""How such errors begin where they come out of a script, or have no class."""
_FULL: Final = "OOM "
_OF_SCRIPT: Final = re.compile(r"Error running script .*?: -")
"""What stands before them on version 6.2, where a command in a script was refused."""


class NotReplicatedError(StoreUnavailableError):
    """What was written stands, but *replicas* had it in time where *wanted* were to: a
    failover may lose it. Calls may be repeated, which is to wait on, as the manager
    does."""

    code = "not_replicated"

    def __init__(self, replicas: int, wanted: int, waited: timedelta) -> None:
        JobcoreError.__init__(self, replicas, wanted, waited)
        self.replicas = replicas
        self.wanted = wanted
        self.waited = waited
        self.problem: str = (
            f"what was written stands, but {replicas} of {wanted} replicas had it "
            f"within {waited.total_seconds():g} s"
        )

    def __str__(self) -> str:
        return f"the store is not replicated: {self.problem}"


def mapped(error: BaseException) -> StoreError:
    """The error of ours that *error* of the driver is."""
    kind = StoreUnavailableError if _is_passing(error) else StoreError
    told = f"{type(error).__name__}: {str(error) or 'no answer in time'}"
    if isinstance(error, exceptions.OutOfMemoryError) or _says(error, _FULL):
        return kind(f"its memory is full: raise maxmemory, or prune ({told})")
    return kind(told)


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, exceptions.AuthenticationError):
        return False
    if isinstance(error, _PASSING):
        return True
    return _says(error, *_PASSING_WORDS)


def _says(error: BaseException, *words: str) -> bool:
    """Whether what the server answered begins so."""
    return _OF_SCRIPT.sub("", str(error), count=1).startswith(words)


@contextmanager
def reading() -> Iterator[None]:
    """While something is read that Redis keeps: StoreError where it is malformed."""
    try:
        yield
    except ODD as error:
        problem = f"what it keeps is not of this release: {error!r:.200}"
        raise StoreError(problem) from error


def is_of_replica(error: BaseException) -> bool:
    """Whether a replica says so that it is none to write to."""
    return isinstance(error, exceptions.ReadOnlyError) or _says(error, "READONLY")
