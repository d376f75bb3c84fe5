"""A seed brings the same again, and what cannot be replayed is refused."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from jobcore import Every, InMemoryJobStore, JobManager, JobStatus, Promotion, Tasks
from jobcore.testing.simulation import (
    NO_FAULTS,
    Event,
    Fault,
    Faults,
    InterruptedCallError,
    NotSimulatedError,
    World,
    block,
    simulate,
)

DIGESTS = """
from jobcore.testing.simulation import simulate
print(*(simulate(seed).history.digest() for seed in range(5)))
"""

tasks = Tasks()


@tasks.task()
async def double(number: int) -> int:
    await asyncio.sleep(random.random())
    return 2 * number


def submitting(number: int) -> Callable[[JobManager], Awaitable[object]]:
    return lambda jobs: jobs.submit(double.job(number))


async def ten(world: World) -> None:
    world.worker(tasks, concurrency=3)
    client = world.client()
    for number in range(10):
        await client.call(submitting(number))


def digests(hash_seed: str) -> str:
    finished = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", DIGESTS],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout


def test_a_seed_brings_the_same_again() -> None:
    once = [simulate(seed) for seed in range(5)]
    again = [simulate(seed) for seed in reversed(range(5))]
    told = [report.history.digest() for report in once]
    assert [report.history.digest() for report in reversed(again)] == told
    assert [each.meetings for each in once] == [each.meetings for each in again[::-1]]
    assert len(set(told)) == len(told)


def test_a_seed_brings_the_same_in_every_process() -> None:
    here = " ".join(simulate(seed).history.digest() for seed in range(5))
    assert digests("1").strip() == digests("2").strip() == here


def test_settings_of_the_environment_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = simulate(1).history.digest()
    monkeypatch.setenv("JOBCORE_MAX_CONCURRENT_JOBS", "77")
    assert simulate(1).history.digest() == usual


def test_a_host_runs_its_own_tasks() -> None:
    report = simulate(3, ten, faults=NO_FAULTS)
    report.confirm()
    assert [job.value for job in report.jobs.values()] == [2 * n for n in range(10)]
    assert {job.status for job in report.jobs.values()} == {JobStatus.COMPLETED}
    assert not report.meetings


@pytest.mark.parametrize("fault", Fault)
def test_a_host_names_its_faults(fault: Fault) -> None:
    """Each of them befalls calls, and breaks nothing."""
    faults = Faults(probability=0.1, kinds=(fault,))
    for seed in range(9):
        report = simulate(seed, faults=faults)
        report.confirm()
        assert {met for met, _ in report.meetings} <= {fault}
        if report.meetings[fault, Event.CLAIM]:
            break
    else:
        pytest.fail("no claim met it")


def test_nothing_is_left_behind() -> None:
    state, level = random.getstate(), logging.getLogger("jobcore").level
    simulate(5)
    assert random.getstate() == state
    assert logging.getLogger("jobcore").level == level
    assert gc.isenabled()


def test_logs_are_shown_if_wanted(caplog: pytest.LogCaptureFixture) -> None:
    faults = Faults(probability=0.1, kinds=(Fault.LOST_ANSWER,))
    simulate(1, ten, faults=faults)
    assert not caplog.records
    simulate(1, ten, faults=faults, logs=True)
    assert "the answer was lost" in caplog.text


def test_a_call_of_a_client_that_is_interrupted_says_so() -> None:
    interrupted = list[str]()

    async def submits(world: World) -> None:
        world.worker(tasks)
        client = world.client()
        for number in range(20):
            try:
                await client.call(submitting(number))
            except InterruptedCallError as error:
                interrupted.append(str(error))

    kinds = (Fault.CRASH, Fault.CANCEL)
    for seed in range(5):
        faults = Faults(probability=0.5, kinds=kinds)
        simulate(seed, submits, faults=faults).confirm()
    assert set(interrupted) == {"crashed", "cancelled"}


def test_what_waits_for_ever_is_told() -> None:
    async def waits(_: World) -> None:
        await asyncio.Event().wait()

    (violation,) = simulate(1, waits).violations
    assert violation.rule == "L3"
    assert "everybody waits and no timer is set" in violation.problem


def test_a_handler_may_block_its_process() -> None:
    blocking = Tasks()

    @blocking.task()
    async def grind() -> None:
        await block(30.0)

    async def grinds(world: World) -> None:
        world.worker(blocking)
        await world.client().call(lambda jobs: jobs.submit(grind.job()))
        await asyncio.sleep(20)

    report = simulate(1, grinds, faults=NO_FAULTS)
    report.confirm()
    (job,) = report.jobs.values()
    assert report.elapsed > 30
    assert job.attempt == 1


def test_what_recurs_for_ever_ends_with_the_simulation() -> None:
    every = Every(timedelta(seconds=1))

    async def recurs(world: World) -> None:
        world.worker(tasks)
        await world.client().call(
            lambda jobs: jobs.schedule("often", double.job(1), every)
        )
        await asyncio.sleep(10)

    report = simulate(1, recurs, faults=NO_FAULTS)
    report.confirm()
    assert report.history.submitted > 10
    assert all(job.status is JobStatus.COMPLETED for job in report.jobs.values())


def test_handlers_in_threads_are_refused() -> None:
    threaded = Tasks()

    @threaded.task()
    def sleep() -> None:
        """Never called."""

    async def runs(world: World) -> None:
        world.worker(threaded)

    with pytest.raises(NotSimulatedError, match="no threads, which task sleep needs"):
        simulate(1, runs)


def test_a_store_that_waits_for_something_is_refused() -> None:
    class Slow(InMemoryJobStore):
        async def promote(self, limit: int) -> Promotion:
            await asyncio.sleep(0.01)
            return await super().promote(limit)

    report = simulate(1, ten, store=Slow, faults=NO_FAULTS)
    assert "NotSimulatedError" in "".join(map(str, report.violations))


def test_an_error_of_the_scenario_is_raised() -> None:
    async def fails(world: World) -> None:
        world.worker(tasks)
        await asyncio.sleep(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        simulate(1, fails)


def test_the_history_of_a_job_can_be_read() -> None:
    report = simulate(3, ten, faults=NO_FAULTS)
    lines = report.history.of("job-0001")
    assert "submit ->queued attempt 0" in lines[0]
    assert "worker-1-1 claim ok" in lines[1]
    assert "complete in_progress>completed attempt 1" in lines[-1]
    assert report.history.submitted == 10


def test_the_table_has_every_fault_and_every_event() -> None:
    told = str(simulate(1).meetings).splitlines()
    assert [line.split("  ")[0] for line in told[1:]] == [each.value for each in Event]
    assert all(fault.value in told[0] for fault in Fault)
    assert simulate(1).meetings.rarest() == 0


def test_time_that_passes_costs_nothing() -> None:
    async def sleeps(world: World) -> None:
        await asyncio.sleep(timedelta(days=365).total_seconds())
        assert world.time > 31_000_000

    simulate(1, sleeps).confirm()
