"""The faults of a simulation: which there are, how often, and what they met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from jobcore.testing.simulation.history import Event


class Fault(StrEnum):
    """What may happen to a call to the store, to its caller, or to the store."""

    DELAY = "delay"
    """The request or the answer takes long."""
    LOST_REQUEST = "lost request"
    """It did not take effect, and the caller is told that the store is unavailable."""
    LOST_ANSWER = "lost answer"
    """It took effect, and the caller is told the same."""
    TWICE = "twice"
    """It is performed twice, and answered the second time."""
    CANCEL = "cancel"
    """Whoever wanted it is cancelled; a worker is told to stop."""
    FREEZE = "freeze"
    """The process stands still, and its own clock with it."""
    BLOCK = "block"
    """The event loop of the process is blocked, and its clock goes on."""
    CRASH = "crash"
    """The process is gone; another one takes its place later."""
    RESTART = "restart"
    """The process is gone, and at once there again under the same name."""
    JUMP = "jump"
    """The clock of the store jumps, forward or back."""


OF_PROCESSES: Final = frozenset(
    {Fault.CANCEL, Fault.FREEZE, Fault.BLOCK, Fault.CRASH, Fault.RESTART}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often calls meet faults: each with *probability*, one of *kinds* then. Calls
    that change jobs, and are not made all the time, meet them several times as often:
    the rarer what they do, the more, up to every other time."""

    probability: float = 0.05
    kinds: tuple[Fault, ...] = tuple(Fault)

    @classmethod
    def drawn(cls, random: Random) -> Faults:
        """Some kinds and some probability: a different mixture finds different bugs."""
        kinds = tuple(fault for fault in Fault if random.random() < 0.4)
        return cls(probability=random.uniform(0.02, 0.15), kinds=kinds)

    def draw(self, random: Random, weight: int = 1) -> Fault | None:
        """A fault for one call, or none; *weight* times as often as for most."""
        probability = max(self.probability, min(0.5, weight * self.probability))
        if random.random() >= probability or not self.kinds:
            return None
        return random.choice(self.kinds)


NO_FAULTS: Final = Faults(probability=0.0, kinds=())


class Meetings(Counter[tuple[Fault, Event]]):
    """How often which fault met which event of a job."""

    def note(self, faults: Iterable[Fault], events: Iterable[Event]) -> None:
        distinct = set(events)
        for fault in faults:
            for event in distinct:
                self[fault, event] += 1

    def rarest(self) -> int:
        """The count of the pair that met least often."""
        return min(self[fault, event] for fault in Fault for event in Event)

    def __str__(self) -> str:
        """A table with a row per event and a column per fault."""
        names = [fault.value for fault in Fault]
        lines = [" " * 12 + "".join(f"{name:>14}" for name in names)]
        for event in Event:
            cells = "".join(f"{self[fault, event]:>14,}" for fault in Fault)
            lines.append(f"{event.value:<12}{cells}")
        return "\n".join(lines)
