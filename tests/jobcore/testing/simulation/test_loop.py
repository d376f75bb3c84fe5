"""The loop: virtual time, processes that stop and die, an order by a seed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from random import Random

import pytest

from jobcore.testing.simulation import NotSimulatedError, SimulatedLoop
from jobcore.testing.simulation.loop import (
    SimulationDeadlockError,
    SimulationEndlessError,
)
from jobcore.testing.simulation.process import Process


@pytest.fixture
def loop() -> Iterator[SimulatedLoop]:
    loop = SimulatedLoop(Random(1))
    yield loop
    loop.close()


def run(loop: SimulatedLoop, *names: str) -> list[str]:
    """What three steps of processes of these *names* note, in their order."""
    notes: list[str] = []

    async def note(name: str) -> None:
        for step in range(3):
            notes.append(f"{name}{step}")
            await asyncio.sleep(0)

    started(loop, note, *names)
    loop.run_until_complete(asyncio.sleep(1))
    return notes


def started(
    loop: SimulatedLoop, main: Callable[[str], Awaitable[None]], *names: str
) -> list[Process]:
    processes = [Process(name) for name in names]
    for process in processes:
        loop.add(process)
        work: Awaitable[None] = main(process.name)
        assert asyncio.iscoroutine(work)
        loop.create_task(work, context=process.context())
    return processes


def test_time_jumps_to_the_next_timer(loop: SimulatedLoop) -> None:
    async def sleeps() -> float:
        await asyncio.sleep(3600)
        return loop.time()

    assert 3600 <= loop.run_until_complete(sleeps()) < 3600.01


def test_a_process_keeps_its_order(loop: SimulatedLoop) -> None:
    notes = run(loop, "a", "b")
    for name in "ab":
        own = [each for each in notes if each.startswith(name)]
        assert own == [f"{name}{step}" for step in range(3)]


def test_seeds_decide_between_processes() -> None:
    orders = set[str]()
    for seed in range(20):
        loop = SimulatedLoop(Random(seed))
        orders.add("".join(run(loop, "a", "b")))
        loop.close()
    assert len(orders) > 5


def test_timers_of_one_instant_fire_in_any_order() -> None:
    orders = set[str]()
    for seed in range(20):
        loop, notes = SimulatedLoop(Random(seed)), list[str]()
        for name in "abc":
            loop.call_at(1.0, notes.append, name)
        loop.run_until_complete(asyncio.sleep(2))
        orders.add("".join(notes))
        loop.close()
    assert len(orders) > 3


@pytest.mark.parametrize(("clock_stops", "seen"), [(False, 8.0), (True, 3.0)])
def test_a_paused_process_does_nothing(
    loop: SimulatedLoop, *, clock_stops: bool, seen: float
) -> None:
    told: list[tuple[float, float]] = []

    async def main(_: str) -> None:
        await asyncio.sleep(3.0)
        told.append((loop.elapsed, loop.time()))

    (process,) = started(loop, main, "a")
    loop.after(1.0, lambda: loop.pause(process, 7.0, clock_stops=clock_stops))
    loop.run_until_complete(asyncio.sleep(20))
    ((elapsed, time),) = told
    assert elapsed == pytest.approx(10.0 if clock_stops else 8.0, abs=0.1)
    assert time == pytest.approx(seen, abs=0.1)


def test_nothing_is_paused_twice_nor_in_calm(loop: SimulatedLoop) -> None:
    (process,) = started(loop, lambda _: asyncio.sleep(1), "a")
    loop.pause(process, 1.0)
    loop.pause(process, 9.0)
    loop.run_until_complete(asyncio.sleep(2))
    assert process.awake
    loop.calm = True
    loop.pause(process, 1.0)
    assert process.awake
    assert loop.quiet_at == pytest.approx(1.0)


def test_a_killed_process_runs_no_further_line(loop: SimulatedLoop) -> None:
    notes: list[str] = []

    async def main(_: str) -> None:
        try:
            await asyncio.sleep(5)
        finally:
            notes.append("finally")

    (process,) = started(loop, main, "a")
    (other,) = started(loop, main, "b")
    loop.after(1.0, loop.pause, other, 9.0)
    loop.after(1.0, lambda: loop.kill(process))
    loop.after(2.0, lambda: loop.kill(other))
    loop.run_until_complete(asyncio.sleep(20))
    loop.kill(process)
    assert notes == []
    assert not process.alive
    loop.bury()
    assert notes == ["finally", "finally"]


def test_what_awaits_on_its_way_out_is_buried_too(loop: SimulatedLoop) -> None:
    async def main(_: str) -> None:
        for _tries in range(3):
            try:
                await loop.create_future()
            except BaseException:  # noqa: BLE001, S112 - it is the worst of handlers
                continue

    started(loop, main, "a")
    loop.run_until_complete(asyncio.sleep(1))
    loop.bury()


def test_a_process_forgets_tasks_that_ended(loop: SimulatedLoop) -> None:
    async def main(_: str) -> None:
        for _number in range(200):
            await asyncio.create_task(asyncio.sleep(0))

    (process,) = started(loop, main, "a")
    loop.run_until_complete(asyncio.sleep(1))
    assert process.unfinished() == []
    assert repr(process) == "a"


def test_a_deadlock_is_an_error(loop: SimulatedLoop) -> None:
    with pytest.raises(
        SimulationDeadlockError, match=r"after 0\.000 s everybody waits"
    ):
        loop.run_until_complete(asyncio.Event().wait())


def test_running_in_circles_is_an_error(
    loop: SimulatedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobcore.testing.simulation.loop._MOST_STEPS", 1000)

    async def circles() -> None:
        for _ in range(2000):
            await asyncio.sleep(0)

    with pytest.raises(SimulationEndlessError, match="brought no end in sight"):
        loop.run_until_complete(circles())


def test_threads_are_refused(loop: SimulatedLoop) -> None:
    with pytest.raises(NotSimulatedError, match="no threads"):
        loop.run_until_complete(asyncio.to_thread(print))
    refused: list[BaseException] = []

    def elsewhere() -> None:
        try:
            loop.call_soon_threadsafe(print)
        except NotSimulatedError as error:
            refused.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(refused) == 1


def test_callbacks_of_its_own_thread_are_taken(loop: SimulatedLoop) -> None:
    notes: list[str] = []
    loop.call_soon_threadsafe(notes.append, "here")
    loop.call_later(1, notes.append, "later").cancel()
    loop.soon(notes.append, "soon")
    loop.run_until_complete(asyncio.sleep(2))
    assert sorted(notes) == ["here", "soon"]


def test_errors_that_nobody_handles_are_kept(loop: SimulatedLoop) -> None:
    loop.call_soon(lambda: 1 / 0)
    loop.run_until_complete(asyncio.sleep(0))
    (fault,) = loop.faults
    assert isinstance(fault["exception"], ZeroDivisionError)
