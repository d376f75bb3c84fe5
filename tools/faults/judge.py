"""The judge: what became of the jobs, by the store and by the journal.

Nothing here asks anybody: evidence in, verdict out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

from jobcore import Attempt, Job, JobStatus, Outcome
from tools.faults.course import Struck
from tools.faults.journal import Event, Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What there is to judge by, once no worker runs any more."""

    submitted: frozenset[str]
    """The jobs whose submit returned."""
    jobs: Mapping[str, Job]
    """The jobs that the store has, with their attempts."""
    journal: Sequence[Line]
    struck: Struck
    workers: frozenset[str] = frozenset()
    """Those that worked in the end."""
    lease: timedelta
    bound: timedelta
    """How long after its last renewal each claim of a stricken worker may last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The counts of a run, and a sentence for each thing that must not be."""

    strikes: int
    jobs: int
    lost: tuple[str, ...]
    run_twice: int
    """Jobs whose handler began more than once."""
    finished_twice: int
    """Those of them whose handler came to its end more than once."""
    unexplained: tuple[str, ...]
    """Runs after the first one that no lost lease accounts for."""
    refused: int
    claims: int
    """What stricken workers held."""
    recoveries: tuple[float, ...]
    """Seconds from the last renewal of each of these claims until it was given back."""
    bound: timedelta
    completions: tuple[float, ...]
    """Seconds from then, the last time, until the job was completed."""
    outages: int = 0
    resumptions: tuple[float, ...] = ()
    """Seconds from the end of each outage until each worker had claimed and completed
    a job."""
    resumed_within: timedelta = timedelta(0)
    untimely: tuple[str, ...]
    bystanders: int
    """Claims that were lost though nothing was done to their worker."""
    findings: tuple[str, ...] = field(default=())

    @property
    def wrong(self) -> tuple[str, ...]:
        return (*self.lost, *self.unexplained, *self.untimely, *self.findings)


def judge(evidence: Evidence, findings: Sequence[str] = ()) -> Verdict:
    """Compare what was submitted, what is stored, and what the journal tells."""
    starts = Counter(
        line.job_id for line in evidence.journal if line.event is Event.STARTED
    )
    ends = Counter(
        line.job_id for line in evidence.journal if line.event is Event.ENDED
    )
    held = {claim for strike in evidence.struck.held for claim in strike}
    lost_claims = {
        (job.id, attempt.number)
        for job in evidence.jobs.values()
        for attempt in job.attempts
        if attempt.outcome is Outcome.LOST
    }
    return Verdict(
        strikes=len(evidence.struck.held),
        jobs=len(evidence.submitted),
        lost=tuple(lost(evidence)),
        run_twice=sum(count > 1 for count in starts.values()),
        finished_twice=sum(count > 1 for count in ends.values()),
        unexplained=tuple(unexplained(evidence)),
        refused=sum(line.event is Event.REFUSED for line in evidence.journal),
        claims=len(held),
        recoveries=tuple(each for _, each in recoveries(evidence) if each is not None),
        bound=evidence.bound,
        completions=tuple(completions(evidence)),
        outages=len(evidence.struck.over_at),
        resumptions=tuple(
            each for _, each in resumptions(evidence) if each is not None
        ),
        resumed_within=evidence.struck.within,
        untimely=(*untimely(evidence), *idle(evidence)),
        bystanders=len(lost_claims - held),
        findings=tuple(findings),
    )


def lost(evidence: Evidence) -> Iterator[str]:
    """Jobs that are not in the store, or ended without the outcome of a handler that
    the journal saw end."""
    ended = {
        (line.job_id, line.attempt)
        for line in evidence.journal
        if line.event is Event.ENDED
    }
    for job_id in sorted(evidence.submitted | evidence.jobs.keys()):
        job = evidence.jobs.get(job_id)
        if job is None:
            yield f"job {job_id} is not in the store"
        elif job.status is not JobStatus.COMPLETED:
            yield f"job {job_id} is {job.status}, reason {job.reason}"
        elif (job_id, job.attempt) not in ended:
            yield f"job {job_id} is completed by attempt {job.attempt}, which never was"
        elif job.value != job.attempt:
            yield f"job {job_id} has the result of attempt {job.value}"


def unexplained(evidence: Evidence) -> Iterator[str]:
    """Starts of handlers that should not have been: a second one in the same attempt,
    and one in a later attempt while an earlier one had not lost its claim."""
    started = defaultdict[str, list[int]](list)
    for line in evidence.journal:
        if line.event is Event.STARTED:
            started[line.job_id].append(line.attempt)
    for job_id, numbers in started.items():
        job = evidence.jobs.get(job_id)
        attempts = {each.number: each for each in job.attempts} if job else {}
        for earlier, later in pairwise(sorted(numbers)):
            if earlier == later:
                yield f"attempt {later} of job {job_id} began twice"
            elif not _was_lost(attempts.get(earlier), before=attempts.get(later)):
                yield f"job {job_id} ran in attempts {earlier} and {later}"


def _was_lost(attempt: Attempt | None, *, before: Attempt | None) -> bool:
    """Whether the claim of *attempt* was lost before the next one began."""
    if attempt is None or attempt.outcome is not Outcome.LOST:
        return False
    return (
        attempt.ended_at is not None
        and before is not None
        and attempt.ended_at <= before.started_at
    )


def recoveries(evidence: Evidence) -> Iterator[tuple[str, float | None]]:
    """Each claim of a stricken worker, and how many seconds after its last renewal it
    was given back, all on the store's clock; None if it never was."""
    for strike in evidence.struck.held:
        for (job_id, number), lease_until in strike.items():
            job = evidence.jobs.get(job_id)
            given_back = [
                attempt.ended_at
                for attempt in (job.attempts if job else ())
                if attempt.number == number
                and attempt.outcome is Outcome.LOST
                and attempt.ended_at is not None
            ]
            seconds = None
            if given_back:
                renewed_at = lease_until - evidence.lease
                seconds = (given_back[0] - renewed_at).total_seconds()
            yield f"attempt {number} of job {job_id}", seconds


def untimely(evidence: Evidence) -> Iterator[str]:
    """Claims that were given back before their lease ended, too late, or never."""
    for name, seconds in recoveries(evidence):
        if seconds is None:
            yield f"{name} was never given back"
        elif seconds < evidence.lease.total_seconds():
            yield f"{name} was given back after {seconds:.2f} s, within its lease"
        elif seconds > evidence.bound.total_seconds():
            yield f"{name} was given back after {seconds:.2f} s, too late"


def completions(evidence: Evidence) -> Iterator[float]:
    """For each completed job that was lost, how many seconds after the last time."""
    for job in evidence.jobs.values():
        lost_at = [
            attempt.ended_at
            for attempt in job.attempts
            if attempt.outcome is Outcome.LOST and attempt.ended_at is not None
        ]
        if lost_at and job.finished_at is not None:
            yield (job.finished_at - max(lost_at)).total_seconds()


def resumptions(evidence: Evidence) -> Iterator[tuple[str, float | None]]:
    """For each outage and worker, how many seconds after its end the worker completed a
    job that it had claimed since; None if it never did."""
    done = [
        attempt
        for job in evidence.jobs.values()
        for attempt in job.attempts
        if attempt.outcome is Outcome.SUCCEEDED
    ]
    for number, over_at in enumerate(evidence.struck.over_at, 1):
        for worker in sorted(evidence.workers):
            ended = [
                each.ended_at
                for each in done
                if each.worker == worker
                and each.started_at >= over_at
                and each.ended_at is not None
            ]
            seconds = (min(ended) - over_at).total_seconds() if ended else None
            yield f"{worker} after outage {number}", seconds


def idle(evidence: Evidence) -> Iterator[str]:
    """Workers that went on too late, or never."""
    within = evidence.struck.within.total_seconds()
    for name, seconds in resumptions(evidence):
        if seconds is None:
            yield f"{name} did not go on"
        elif seconds > within:
            yield f"{name} went on in {seconds:.2f} s, too late"
