"""Every invariant can fail: whoever breaks a rule is found, and by the right name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest

from jobcore import InMemoryJobStore, JobStore, Tasks, WorkerRecord
from jobcore.memory.directory import InMemoryWorkerDirectory
from jobcore.testing.simulation import (
    INVARIANTS,
    NO_FAULTS,
    InvariantViolatedError,
    Violation,
    World,
    check,
    simulate,
)
from jobcore.testing.simulation.history import Call, History, Life, Running
from jobcore.testing.simulation.server import EPOCH
from jobcore.worker.leases import Leases
from tests.jobcore.testing.simulation import broken

SEEDS = 100

BROKEN: list[tuple[str, Callable[[], JobStore]]] = [
    ("S1", broken.HandsOutTwice),
    ("S2", broken.TakesStaleTokens),
    ("S2", broken.RenewsStaleClaims),
    ("S3", broken.RunsFinishedJobs),
    ("S4", broken.LosesJobs),
    ("S4", broken.ForgetsWhatItStored),
    ("S5", broken.ForgetsFailures),
    ("S7", broken.NeverGivesUp),
    ("S8", broken.TakesLeasesAway),
    ("S8", broken.PromotesEarly),
    ("S8", broken.DeletesOthers),
    ("S9", broken.LeasesTooLong),
    ("S11", broken.ClaimsMoreAgain),
    ("S11", broken.IgnoresUniqueKeys),
    ("S14", broken.RenamesWhatItMoves),
    ("S14", broken.ApprovesByItself),
    ("L1", broken.NeverRecovers),
    ("L2", broken.SleepsOn),
    ("L3", broken.FailsForGood),
    ("L4", broken.NeverPromotes),
    ("L5", broken.AsksToBeAskedAgain),
    ("L6", broken.IsNeverDue),
]


def found(
    rule: str, store: Callable[[], JobStore] = InMemoryJobStore, problem: str = ""
) -> Violation:
    """The first violation of *rule* in some seeds that tells of this *problem*."""
    for seed in range(SEEDS):
        for violation in simulate(seed, store=store).violations:
            if violation.rule == rule and problem in violation.problem:
                return violation
    pytest.fail(f"no violation of {rule} in {SEEDS} seeds")


@pytest.mark.parametrize(("rule", "store"), BROKEN)
def test_a_broken_store_is_found(rule: str, store: Callable[[], JobStore]) -> None:
    violation = found(rule, store)
    assert f"{rule}, seed {violation.seed}, at " in str(violation)


@pytest.mark.parametrize(
    ("problem", "store"),
    [
        ("was written by who had not seen it", broken.OverwritesSchedules),
        ("is another job of schedule", broken.MakesTicksTwice),
        ("is no tick of schedule", broken.MovesTicks),
    ],
)
def test_what_is_wrong_with_ticks_is_told(
    problem: str, store: Callable[[], JobStore]
) -> None:
    found("S13", store, problem)


def test_a_token_that_is_used_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def same(random: Random) -> str:
        return f"{random.getrandbits(1)}"

    monkeypatch.setattr("jobcore.default_manager.new_token", same)
    found("S6")


def test_input_that_is_not_checked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unchecked(field: str, value: object, *_: int) -> object:
        return value if field else None

    monkeypatch.setattr("jobcore.checks.check_integer", unchecked)
    found("S10")


def test_what_runs_on_after_its_worker_is_found() -> None:
    tasks, leaks = Tasks(), list[object]()

    @tasks.task()
    async def leak() -> None:
        leaks.append(asyncio.create_task(asyncio.sleep(3600), name="leaked"))

    async def leaking(world: World) -> None:
        world.worker(tasks)
        await world.client().call(lambda jobs: jobs.submit(leak.job()))

    report = simulate(1, leaking, faults=NO_FAULTS)
    assert [each.rule for each in report.violations] == ["S12"]
    with pytest.raises(
        InvariantViolatedError, match=r"still running: .*leaked"
    ) as told:
        report.confirm()
    assert told.value.seed == 1


def test_a_worker_that_does_not_renew_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def idle(_: Leases) -> None:
        return None

    monkeypatch.setattr(Leases, "_renew", idle)
    assert "did not renew" in found("L3").problem


def test_a_worker_that_runs_too_many_jobs_is_found() -> None:
    history = History(1, simulate(1, faults=NO_FAULTS).history.config)
    history.lives.append(Life("worker", 1, 0.0))
    history.running += [Running(0, "one", 1, 1.0, 3.0), Running(0, "two", 1, 2.0)]
    history.ended_at = 4.0
    (violation,) = check(history)
    assert (violation.rule, violation.job_id, violation.time) == ("L4", "two", 2.0)


def directory_calls(*verbs: str) -> History:
    """A history of a worker that tells the directory *verbs*, at the first second."""
    history = History(1, simulate(1, faults=NO_FAULTS).history.config)
    record = WorkerRecord(id="worker")
    for verb in verbs:
        asked = record if verb == "seen" else record.id
        call = Call("worker", verb, asked, 1.0, performed_at=1.0, clock=EPOCH)
        history.calls.append(call)
        history.performed.append(call)
    history.living = ["worker"]
    return history


def test_a_worker_that_was_not_seen_and_is_listed_is_found() -> None:
    history = directory_calls("gone", "seen")
    lasting = 3 * history.config.job_claim_timeout
    history.ended_clock = EPOCH + lasting
    assert not check(history)
    history.ended_clock += timedelta(seconds=0.1)
    (violation,) = check(history)
    assert violation.rule == "L5"
    assert "worker is listed, and was to be until 2000" in violation.problem


def test_a_worker_that_struck_itself_out_and_is_listed_is_found() -> None:
    history = directory_calls("seen", "gone")
    history.ended_clock = EPOCH
    assert [each.rule for each in check(history)] == ["L5"]


def test_a_directory_that_strikes_nobody_out_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ignore(_: InMemoryWorkerDirectory, worker_id: str) -> None:
        assert worker_id

    monkeypatch.setattr(InMemoryWorkerDirectory, "gone", ignore)
    assert "struck itself out" in found("L5").problem


def test_every_invariant_says_what_it_demands() -> None:
    assert list(INVARIANTS) == [f"S{n}" for n in range(1, 15)] + [
        f"L{n}" for n in range(1, 7)
    ]
    for name, rule in INVARIANTS.items():
        assert rule.__name__.startswith(f"{name.lower()}_")
        assert rule.__doc__
