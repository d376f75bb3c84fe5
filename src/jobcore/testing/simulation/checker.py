"""The one checker of histories: every invariant, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from jobcore.testing.simulation.history import History
from jobcore.testing.simulation.liveness import LIVENESS
from jobcore.testing.simulation.operated import s14_little_changes
from jobcore.testing.simulation.safety import SAFETY, Rule
from jobcore.testing.simulation.ticks import (
    l6_schedules_fire,
    s13_a_tick_makes_one_job,
)

INVARIANTS: Final[Mapping[str, Rule]] = {
    **SAFETY,
    "S13": s13_a_tick_makes_one_job,
    "S14": s14_little_changes,
    **LIVENESS,
    "L6": l6_schedules_fire,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold: by its name, with the life of the job."""

    rule: str
    seed: int
    time: float
    job_id: str
    problem: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        meant = (INVARIANTS[self.rule].__doc__ or "").strip()
        told = f"{self.rule}, seed {self.seed}, at {self.time:.3f} s: "
        told += f"{self.job_id} {self.problem}".strip()
        return "\n    ".join((told, f"({meant})", *self.lines))


def check(history: History) -> list[Violation]:
    """Everything in *history* that breaks an invariant."""
    life = cache(lambda job_id: tuple(history.of(job_id)))
    return [
        Violation(name, history.seed, *finding, life(finding.job_id))
        for name, rule in INVARIANTS.items()
        for finding in rule(history)
    ]
