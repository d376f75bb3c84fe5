"""The course of an experiment: what happens while its workers work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tools.faults.scene import Held, Scene

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What has happened."""

    held: Sequence[Held] = ()
    """The claims that each stricken worker held."""
    over_at: Sequence[datetime] = ()
    """When each outage of the server was over, by its own clock."""
    within: timedelta = timedelta(0)
    """How soon after that each worker had to go on."""
    work: Sequence[float] = ()
    """Which shares of a core the workers used during outages, where it is measured."""
    most_work: float = 0
    """Which share each of them might use."""
    refusal: str | None = None
    """What the errors say that submits were to be refused with."""
    failed_over_at: Sequence[float] = ()
    """When a server was lost that another took the place of, in monotonic time."""
    forgets: float = 0
    """Of how many seconds before that nothing may be known any more."""


class Course(Protocol):
    """A fault that happens again and again."""

    settings: Mapping[str, str]
    """How the workers are set up, by name of the setting."""

    async def run(self, times: int, scene: Scene, tell: Tell) -> Struck:
        """Let it happen, that many *times*, and *tell* of each."""
        ...
