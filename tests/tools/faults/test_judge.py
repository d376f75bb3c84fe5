"""The judge sees what must not be, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobcore import Attempt, Job, JobStatus, NewJob, Outcome
from tools.faults.course import Struck
from tools.faults.evidence import Evidence
from tools.faults.journal import Event, Line
from tools.faults.judge import Verdict, judge
from tools.faults.scene import Held

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=2)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def attempt(number: int, outcome: Outcome, began: float, ended: float) -> Attempt:
    return Attempt(
        number=number,
        worker=f"worker {number}",
        started_at=at(began),
        ended_at=at(ended),
        outcome=outcome,
    )


LOST = attempt(1, Outcome.LOST, 0, 2.5)
SUCCEEDED = attempt(2, Outcome.SUCCEEDED, 3, 4)


def job(*attempts: Attempt, status: JobStatus = JobStatus.COMPLETED) -> Job:
    last = attempts[-1].number
    new = Job.stored(NewJob(id="a", task="sleep"), BEGIN)
    return new.model_copy(
        update={
            "status": status,
            "attempt": last,
            "attempts": attempts,
            "result": str(last).encode(),
            "finished_at": attempts[-1].ended_at,
        }
    )


def journal(*told: str) -> list[Line]:
    words = [each.split() for each in told]
    return [
        Line(event=Event(event), job_id="a", attempt=int(number), process=7, at=0.0)
        for event, number in words
    ]


def evidence(
    found: Job, *told: str, strike: Held | None = None, bound: float = 3.5
) -> Evidence:
    return Evidence(
        submitted={"a": 0.0},
        jobs={"a": found},
        journal=journal(*told),
        struck=Struck(held=[strike] if strike else []),
        lease=LEASE,
        bound=timedelta(seconds=bound),
    )


KILLED = evidence(
    job(LOST, SUCCEEDED),
    *("started 1", "started 2", "ended 2"),
    strike={("a", 1): at(2.1)},
)
"""A worker was killed in the first attempt, 0.1 s after its last renewal."""


def test_a_run_that_a_kill_explains_is_no_fault() -> None:
    verdict = judge(KILLED)
    assert verdict == Verdict(
        strikes=1,
        jobs=1,
        lost=(),
        run_twice=1,
        finished_twice=0,
        unexplained=(),
        refused=0,
        claims=1,
        recoveries=(2.4,),
        bound=timedelta(seconds=3.5),
        completions=(1.5,),
        untimely=(),
        bystanders=0,
    )
    assert verdict.wrong == ()


def test_a_job_that_is_not_in_the_store_is_lost() -> None:
    assert judge(replace(KILLED, jobs={})).lost == ("job a is not in the store",)


@pytest.mark.parametrize("status", set(JobStatus) - {JobStatus.COMPLETED})
def test_a_job_that_is_not_completed_is_lost(status: JobStatus) -> None:
    given = evidence(job(SUCCEEDED, status=status), "started 2", "ended 2")
    assert judge(given).lost == (f"job a is {status}, reason None",)


def test_a_job_whose_handler_never_ended_is_lost() -> None:
    given = evidence(job(SUCCEEDED), "started 2")
    assert judge(given).lost == ("job a is completed by attempt 2, which never was",)


def test_a_job_with_the_result_of_a_stale_attempt_is_lost() -> None:
    stale = job(LOST, SUCCEEDED).model_copy(update={"result": b"1"})
    assert judge(replace(KILLED, jobs={"a": stale})).lost == (
        "job a has the result of attempt 1",
    )


@pytest.mark.parametrize("outcome", set(Outcome) - {Outcome.LOST})
def test_a_second_run_needs_a_lost_lease(outcome: Outcome) -> None:
    given = evidence(
        job(attempt(1, outcome, 0, 2.5), SUCCEEDED),
        *("started 1", "started 2", "ended 2"),
    )
    assert judge(given).unexplained == ("job a ran in attempts 1 and 2",)


def test_a_second_run_needs_a_record_of_the_first() -> None:
    given = evidence(job(SUCCEEDED), "started 1", "started 2", "ended 2")
    assert judge(given).unexplained == ("job a ran in attempts 1 and 2",)


def test_a_second_run_must_not_begin_before_the_first_is_lost() -> None:
    early = attempt(2, Outcome.SUCCEEDED, 2.4, 4)
    given = evidence(job(LOST, early), "started 1", "started 2", "ended 2")
    assert judge(given).unexplained == ("job a ran in attempts 1 and 2",)


def test_an_attempt_does_not_begin_twice() -> None:
    given = evidence(job(SUCCEEDED), "started 2", "started 2", "ended 2")
    assert judge(given).unexplained == ("attempt 2 of job a began twice",)


def test_recovery_must_not_be_late() -> None:
    given = replace(KILLED, bound=timedelta(seconds=2.3))
    (sentence,) = judge(given).untimely
    assert sentence == "attempt 1 of job a was given back after 2.40 s, too late"


def test_a_lease_must_not_be_cut_short() -> None:
    given = replace(KILLED, lease=timedelta(seconds=3))
    given = replace(given, struck=Struck(held=[{("a", 1): at(3.1)}]))
    (sentence,) = judge(given).untimely
    assert (
        sentence == "attempt 1 of job a was given back after 2.40 s, within its lease"
    )


def test_what_a_dead_worker_held_must_be_given_back() -> None:
    given = replace(KILLED, jobs={"a": job(SUCCEEDED)}, journal=journal("ended 2"))
    assert judge(given).untimely == ("attempt 1 of job a was never given back",)


def test_what_the_store_finds_wrong_is_wrong() -> None:
    assert judge(KILLED, ["a count is wrong"]).wrong == ("a count is wrong",)


def test_claims_lost_by_living_workers_are_counted_apart() -> None:
    assert judge(replace(KILLED, struck=Struck())).bystanders == 1


def test_refused_reports_and_second_ends_are_counted() -> None:
    told = ("started 1", "started 2", "ended 2", "ended 1", "refused 1")
    verdict = judge(replace(KILLED, journal=journal(*told)))
    assert (verdict.refused, verdict.run_twice, verdict.finished_twice) == (1, 1, 1)
    assert verdict.wrong == ()


def outage(over_at: float, *workers: str, within: float = 2) -> Evidence:
    """One during which `worker 2` worked, and *workers* were there in the end."""
    struck = Struck(over_at=[at(over_at)], within=timedelta(seconds=within))
    given = evidence(job(LOST, SUCCEEDED), "started 1", "started 2", "ended 2")
    return replace(given, struck=struck, workers=frozenset(workers))


def test_a_worker_goes_on_with_what_it_claims_after_an_outage() -> None:
    verdict = judge(outage(2.5, "worker 2"))
    assert (verdict.outages, verdict.resumptions) == (1, (1.5,))
    assert verdict.wrong == ()


def test_a_worker_must_not_go_on_too_late() -> None:
    (sentence,) = judge(outage(2.5, "worker 2", within=1)).untimely
    assert sentence == "worker 2 after outage 1 went on in 1.50 s, too late"


def test_what_was_claimed_before_an_outage_does_not_count_as_going_on() -> None:
    (sentence,) = judge(outage(3.5, "worker 2")).untimely
    assert sentence == "worker 2 after outage 1 did not go on"


def test_each_worker_must_go_on() -> None:
    (sentence,) = judge(outage(2.5, "worker 1", "worker 2")).untimely
    assert sentence == "worker 1 after outage 1 did not go on"


def test_a_submit_must_not_be_refused_without_a_reason() -> None:
    given = replace(KILLED, refusals=["it is full"])
    assert judge(given).unwanted == ("a submit was refused: it is full",)
    given = replace(given, struck=replace(KILLED.struck, refusal="is full"))
    assert judge(given).unwanted == ()


def test_what_should_be_refused_must_be() -> None:
    given = replace(KILLED, struck=replace(KILLED.struck, refusal="is full"))
    assert judge(given).unwanted == ("no submit was refused",)


def test_a_worker_must_not_be_busy_with_an_outage() -> None:
    given = replace(KILLED.struck, work=[0.01, 0.2], most_work=0.1)
    assert judge(replace(KILLED, struck=given)).busy == (
        "a worker used 20.0% of a core during an outage",
    )


def noted(event: Event, at: float, token: str = "", process: int = 7) -> Line:
    return Line(event, "a", 1, process, at, token)


RUN_AGAIN = [
    noted(Event.CLAIMED, 1, "first"),
    noted(Event.STARTED, 1.1),
    noted(Event.ENDED, 1.2),
    noted(Event.ACCEPTED, 1.2, "first"),
    noted(Event.CLAIMED, 4, "second"),
    noted(Event.STARTED, 4.1),
    noted(Event.ENDED, 4.2),
    noted(Event.ACCEPTED, 4.2, "second"),
]
"""What the first run did was lost, if a server was."""


def failed_over(at: float, forgets: float, journal: list[Line]) -> Evidence:
    return replace(
        evidence(job(attempt(1, Outcome.SUCCEEDED, 4, 4.2))),
        struck=Struck(failed_over_at=[at], forgets=forgets),
        journal=journal,
    )


def test_a_failover_explains_a_second_run_after_what_it_may_have_lost() -> None:
    verdict = judge(failed_over(2, 1, RUN_AGAIN))
    assert (verdict.run_twice, verdict.finished_twice) == (1, 1)
    assert verdict.wrong == ()


@pytest.mark.parametrize(("at", "forgets"), [(2, 0.7), (0.5, 1)])
def test_a_failover_explains_nothing_that_it_cannot_have_lost(
    at: float, forgets: float
) -> None:
    given = failed_over(at, forgets, RUN_AGAIN)
    assert judge(given).unexplained == ("attempt 1 of job a began twice",)


def test_a_claim_that_was_lost_explains_a_second_run() -> None:
    of_first = RUN_AGAIN[:3]
    given = failed_over(1.1, 0.5, [*of_first, *RUN_AGAIN[4:]])
    assert judge(given).wrong == ()


def test_a_job_submitted_just_before_a_failover_may_be_forgotten() -> None:
    given = replace(failed_over(2, 1, []), jobs={}, submitted={"a": 1.5})
    verdict = judge(given)
    assert (verdict.lost, verdict.forgotten) == ((), (0.5,))
    verdict = judge(replace(given, submitted={"a": 0.5}))
    assert verdict.lost == ("job a is not in the store",)
    assert verdict.forgotten == ()


def test_a_stale_report_must_not_be_accepted() -> None:
    stale = noted(Event.ACCEPTED, 4.05, "first")
    given = failed_over(2, 1, [*RUN_AGAIN[:3], *RUN_AGAIN[4:], stale])
    assert judge(given).stale == ("a stale report on job a was accepted",)
    refused = noted(Event.REFUSED, 4.05, "first")
    given = failed_over(2, 1, [*RUN_AGAIN[:3], *RUN_AGAIN[4:], refused])
    assert judge(given).stale == ()
