"""A deterministic simulator: whole fleets of workers on virtual time, under faults.

`simulate(seed)` plays a scenario around a store in memory: managers, workers and
clients, each in a process of its own that may freeze, block, crash and come back, and
whose calls to the store may be delayed, lost, repeated or cancelled. Then the faults
end, everything has to finish, and one checker judges the history by every invariant.
The same seed brings the same again.

    from jobcore.testing.simulation import World, simulate

    async def orders(world: World) -> None:
        world.worker(tasks)
        shop = world.client()
        await shop.call(lambda jobs: jobs.submit(charge.job(7)))

    simulate(1, orders).confirm()
"""

from jobcore.testing.simulation.checker import INVARIANTS, Violation, check
from jobcore.testing.simulation.faults import NO_FAULTS, Fault, Faults, Meetings
from jobcore.testing.simulation.history import Call, Change, Event, History
from jobcore.testing.simulation.loop import (
    NotSimulatedError,
    SimulatedLoop,
    SimulationStuckError,
)
from jobcore.testing.simulation.scenario import everything
from jobcore.testing.simulation.service import (
    Client,
    InterruptedCallError,
    WorkerService,
)
from jobcore.testing.simulation.simulate import (
    InvariantViolatedError,
    Report,
    simulate,
)
from jobcore.testing.simulation.steps import block
from jobcore.testing.simulation.world import World

__all__ = [
    # a seed, and what came of it
    "InvariantViolatedError",
    "Report",
    "simulate",
    # what a scenario works with
    "Client",
    "InterruptedCallError",
    "NotSimulatedError",
    "SimulatedLoop",
    "SimulationStuckError",
    "WorkerService",
    "World",
    "block",
    "everything",
    # faults
    "NO_FAULTS",
    "Fault",
    "Faults",
    "Meetings",
    # the history and its judge
    "INVARIANTS",
    "Call",
    "Change",
    "Event",
    "History",
    "Violation",
    "check",
]
