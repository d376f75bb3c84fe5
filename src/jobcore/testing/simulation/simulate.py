"""Running one seed, and what came of it."""

from __future__ import annotations

import gc
import logging
import random as module_random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from jobcore.config import JobcoreConfig
from jobcore.job import Job
from jobcore.memory import InMemoryJobStore
from jobcore.store import JobStore
from jobcore.testing.simulation.checker import Violation, check
from jobcore.testing.simulation.faults import Faults, Meetings
from jobcore.testing.simulation.history import History
from jobcore.testing.simulation.loop import SimulatedLoop, SimulationStuckError
from jobcore.testing.simulation.scenario import drawn_config, everything
from jobcore.testing.simulation.world import World

Scenario = Callable[[World], Awaitable[None]]


class InvariantViolatedError(AssertionError):
    """A simulation broke what jobcore promises."""

    def __init__(self, seed: int, violations: list[Violation]) -> None:
        super().__init__(seed, violations)
        self.seed = seed
        self.violations = violations

    def __str__(self) -> str:
        told = "\n\n".join(map(str, self.violations))
        return f"seed {self.seed} violates:\n{told}"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one seed."""

    seed: int
    violations: list[Violation]
    history: History
    meetings: Meetings
    elapsed: float
    """Virtual seconds."""

    @property
    def jobs(self) -> dict[str, Job]:
        """All jobs, by id, as they were at the end."""
        return self.history.jobs

    def confirm(self) -> None:
        """Raise InvariantViolatedError unless all invariants hold."""
        if self.violations:
            raise InvariantViolatedError(self.seed, self.violations)


def simulate(  # noqa: PLR0913 - all but the seed are options by name
    seed: int,
    scenario: Scenario = everything,
    *,
    faults: Faults | None = None,
    config: JobcoreConfig | None = None,
    store: Callable[[], JobStore] = InMemoryJobStore,
    logs: bool = False,
) -> Report:
    """Play *scenario* with *faults*, calm down, let everything finish, stop, and check
    all invariants. The same *seed* brings the same again, in any process.

    Without *faults* the seed draws some, and without a *config* settings under which
    much happens in little time. *store* makes an empty store, no method of which may
    wait for anything. Meanwhile the module `random` is seeded, and nothing of jobcore
    is logged unless *logs* are wanted.
    """
    random = Random(seed)  # noqa: S311 - it is to be replayed
    chosen = config or drawn_config(random)
    drawn = Faults.drawn(random) if faults is None else faults
    with _seeded(seed), _quiet(wanted=logs):
        loop = SimulatedLoop(Random(seed + 2))  # noqa: S311 - likewise
        world = World(seed, loop, chosen, store())
        try:
            world.begin_faults(drawn)
            stuck = _run(loop, world, scenario)
            violations = check(world.history)
            if stuck is not None:
                violations.insert(0, stuck)
            return Report(
                seed, violations, world.history, world.server.meetings, loop.elapsed
            )
        finally:
            world.server.close()
            loop.run_until_complete(_bury(loop))
            loop.close()


def _run(loop: SimulatedLoop, world: World, scenario: Scenario) -> Violation | None:
    try:
        loop.run_until_complete(world.live(scenario))
    except SimulationStuckError as error:
        return Violation("L3", world.history.seed, error.time, "", str(error))
    return None


async def _bury(loop: SimulatedLoop) -> None:
    loop.bury()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let the module `random` be replayed, too, and collect no garbage meanwhile, whose
    finalizers would come at any time."""
    state, collecting = module_random.getstate(), gc.isenabled()
    module_random.seed(seed)
    gc.disable()
    try:
        yield
    finally:
        module_random.setstate(state)
        if collecting:
            gc.enable()


@contextmanager
def _quiet(*, wanted: bool) -> Iterator[None]:
    logger = logging.getLogger("jobcore")
    level = logger.level
    if not wanted:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
