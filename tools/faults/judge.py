"""The judge: what became of the jobs, by the store and by the journal.

Nothing here asks anybody: evidence in, verdict out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from operator import attrgetter

from jobcore import Attempt, JobStatus, Outcome
from tools.faults import failover
from tools.faults.course import Struck
from tools.faults.evidence import Evidence
from tools.faults.journal import Event, Line


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
    busy: tuple[str, ...] = ()
    """Workers that worked too much during an outage."""
    work: tuple[float, ...] = ()
    """Which shares of a core workers used then, where it is measured."""
    most_work: float = 0
    refusals: int = 0
    """Submits that were refused, as they had to be."""
    unwanted: tuple[str, ...] = ()
    """Those that were refused otherwise, or that they were not."""
    forgotten: tuple[float, ...] = ()
    """How many seconds before a failover each job was submitted that is not known any
    more, for that reason."""
    forgets: float = 0
    """How many seconds that may be."""
    stale: tuple[str, ...] = ()
    """Reports that were accepted though the job had been claimed by another."""
    findings: tuple[str, ...] = field(default=())

    @property
    def wrong(self) -> tuple[str, ...]:
        late = (*self.untimely, *self.busy)
        never = (*self.lost, *self.unexplained, *self.stale, *self.unwanted)
        return (*never, *late, *self.findings)


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
        busy=tuple(busy(evidence.struck)),
        work=tuple(evidence.struck.work),
        most_work=evidence.struck.most_work,
        refusals=len(evidence.refusals),
        unwanted=tuple(unwanted(evidence)),
        forgotten=tuple(failover.forgotten(evidence)),
        forgets=evidence.struck.forgets,
        stale=tuple(stale(evidence)),
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
    for job_id in sorted(evidence.submitted.keys() | evidence.jobs.keys()):
        job = evidence.jobs.get(job_id)
        if job is None:
            if failover.seconds_before(evidence, evidence.submitted[job_id]) is None:
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
    started = defaultdict[str, list[Line]](list)
    for line in evidence.journal:
        if line.event is Event.STARTED:
            started[line.job_id].append(line)
    for job_id, starts in started.items():
        job = evidence.jobs.get(job_id)
        attempts = {each.number: each for each in job.attempts} if job else {}
        starts.sort(key=attrgetter("attempt", "at"))
        for earlier, later in pairwise(starts):
            first, second = earlier.attempt, later.attempt
            if first != second and _was_lost(
                attempts.get(first), before=attempts.get(second)
            ):
                continue
            if failover.is_forgotten(evidence, earlier):
                continue
            if first == second:
                yield f"attempt {second} of job {job_id} began twice"
            else:
                yield f"job {job_id} ran in attempts {first} and {second}"


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


def stale(evidence: Evidence) -> Iterator[str]:
    """Reports that were accepted though they were sent when another had the job."""
    claimed = defaultdict[str, list[Line]](list)
    for line in evidence.journal:
        if line.event is Event.CLAIMED:
            claimed[line.job_id].append(line)
    for line in evidence.journal:
        if line.event is not Event.ACCEPTED:
            continue
        claims = claimed[line.job_id]
        own = [each.at for each in claims if each.token == line.token]
        others = [each.at for each in claims if each.token != line.token]
        if any(min(own, default=0) < each < line.at for each in others):
            yield f"a stale report on job {line.job_id} was accepted"


def busy(struck: Struck) -> Iterator[str]:
    """Workers that did too much while there was nothing that they could do."""
    for share in struck.work:
        if share > struck.most_work:
            yield f"a worker used {share:.1%} of a core during an outage"


def unwanted(evidence: Evidence) -> Iterator[str]:
    """Submits that were refused without a reason; and that none was with one."""
    wanted = evidence.struck.refusal
    for told in evidence.refusals:
        if wanted is None or wanted not in told:
            yield f"a submit was refused: {told}"
    if wanted is not None and not evidence.refusals:
        yield "no submit was refused"
