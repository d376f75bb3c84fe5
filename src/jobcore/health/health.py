"""How a process is, in three levels, and who is asked for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a manager is, and its workers in this process, if it has any.

    *alive*: the event loop answers, and no worker has died; where that is not so, only
    a restart will help. *started*: the manager is open, and its workers have begun to
    claim. *connected*: each worker has claimed or renewed within the last lease; a
    manager without workers says whether the store answered just now. A restart does not
    bring back a store, so that nobody is to be restarted who is not connected.
    """

    alive: bool
    started: bool
    connected: bool

    def __and__(self, other: Health) -> Health:
        """What holds for both."""
        return Health(
            alive=self.alive and other.alive,
            started=self.started and other.started,
            connected=self.connected and other.connected,
        )


Check = Callable[[], Health]


class HealthChecks:
    """The workers of one manager, each asked how it is."""

    def __init__(self) -> None:
        self._checks: dict[object, Check] = {}

    def add(self, check: Check) -> Callable[[], None]:
        """Let *check* be asked, until the function is called that is returned."""
        key = object()
        self._checks[key] = check

        def remove() -> None:
            self._checks.pop(key, None)

        return remove

    def ask(self) -> Health | None:
        """What holds for all of them; None where there is none."""
        told: Health | None = None
        for check in self._checks.values():
            told = check() if told is None else told & check()
        return told
