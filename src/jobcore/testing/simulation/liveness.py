"""The invariants L1 to L5: what must happen once there are no more faults."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from jobcore.job import TERMINAL, JobStatus
from jobcore.testing.simulation.history import Change, Event, History, Life
from jobcore.testing.simulation.safety import Finding, Rule

_SETTLED: Final = 3.0
"""Seconds after the last fault until pauses and repeats that it caused are over."""
SLACK: Final = 1.0
"""Seconds that calls may take on their way."""
_ROUNDING: Final = timedelta(milliseconds=1)
"""By how much the clock of the store and the history's copy of it may differ."""
_MOST_CALLS: Final = 90
"""More calls of one verb by one process in one second are a busy loop."""


def l1_recovery_is_bounded(history: History) -> Iterator[Finding]:
    """A claim whose lease ran out is ended within a sweep."""
    sweep = history.config.stale_job_claim_check_interval.total_seconds()
    calm_at = settled_at(history)
    for ended_at, change, clock in _ends_of_claims(history):
        job = change.before
        if job is None or job.lease_until is None or ended_at < calm_at:
            continue
        expired_at = ended_at - (clock - job.lease_until.timestamp())
        late = ended_at - (max(expired_at, calm_at) + sweep + SLACK)
        if late > 0:
            problem = f"stayed claimed for {late + SLACK:.1f} s after its last sweep"
            yield Finding(ended_at, job.id, problem)


def l2_hints_are_not_needed(history: History) -> Iterator[Finding]:
    """A worker with a free slot asks for jobs at every polling interval, woken or
    not."""
    pause = 1.2 * history.config.job_polling_interval.total_seconds() + SLACK
    asked = _times(history, "claim")
    for life in history.lives:
        for begin, end in _gaps(history, life, asked[life.process], pause):
            if not _is_full(history, life, begin, end):
                problem = f"{life.process} did not ask for {end - begin:.1f} s"
                yield Finding(end, "", problem)


def l3_loops_survive(history: History) -> Iterator[Finding]:
    """Renewals and promotions go on after every fault, and no error is unhandled."""
    lease = history.config.job_claim_timeout.total_seconds()
    poll = history.config.job_polling_interval.total_seconds()
    pauses = {"renew": lease * 0.4 + SLACK, "promote": poll + SLACK}
    for verb, pause in pauses.items():
        times = _times(history, verb)
        for life in history.lives:
            for begin, end in _gaps(history, life, times[life.process], pause):
                problem = f"{life.process} did not {verb} for {end - begin:.1f} s"
                yield Finding(end, "", problem)
    for each in history.unhandled:
        yield Finding(history.ended_at, "", f"nobody handled {each}")


def l4_everything_finishes(history: History) -> Iterator[Finding]:
    """Every job ends, and no worker runs more of them than it has slots."""
    if history.deadline_missed:
        for job in history.jobs.values():
            if job.status not in TERMINAL:
                problem = f"never ended; it is {job.status} at last"
                yield Finding(history.ended_at, job.id, problem)
    running: defaultdict[int, list[float]] = defaultdict(list)
    for run in history.running:
        life = history.lives[run.life]
        others = [end for end in running[run.life] if end > run.began_at]
        ended_at = run.ended_at or life.ended_at or history.ended_at
        running[run.life] = [*others, ended_at]
        if len(others) >= life.concurrency:
            problem = f"is one of {len(others) + 1} that {life.process} runs"
            yield Finding(run.began_at, run.job_id, problem)


def l5_resources_are_bounded(history: History) -> Iterator[Finding]:
    """Nobody calls the store without pause, and no worker is listed that struck itself
    out, or was not seen for three leases by the store's clock."""
    calls = Counter(
        (call.process, call.verb, int(call.made_at)) for call in history.calls
    )
    for (process, verb, second), count in calls.items():
        if count > _MOST_CALLS:
            problem = f"{process} called {verb} {count} times in a second"
            yield Finding(second, "", problem)
    entries = _entries(history)
    for worker in history.living or ():
        expires_at = entries.get(worker)
        if expires_at is None:
            problem = f"{worker} is listed, and struck itself out"
        elif history.ended_clock is None or history.ended_clock <= expires_at:
            continue
        else:
            problem = f"{worker} is listed, and was to be until {expires_at}"
        yield Finding(history.ended_at, "", problem)


LIVENESS: Final[Mapping[str, Rule]] = {
    "L1": l1_recovery_is_bounded,
    "L2": l2_hints_are_not_needed,
    "L3": l3_loops_survive,
    "L4": l4_everything_finishes,
    "L5": l5_resources_are_bounded,
}


def settled_at(history: History) -> float:
    """From when on only what is wrong for good takes long."""
    calm_at = history.ended_at if history.calm_at is None else history.calm_at
    return calm_at + _SETTLED


def _ends_of_claims(history: History) -> Iterator[tuple[float, Change, float]]:
    """When which claim ended, and what the store's clock showed then."""
    last: tuple[float, datetime] | None = None
    for call, change in history.changes():
        before, after = change.before, change.after
        if call.clock is None or call.performed_at is None:
            continue
        last = call.performed_at, call.clock
        running = before is not None and before.status is JobStatus.IN_PROGRESS
        if running and (after is None or after.status is not JobStatus.IN_PROGRESS):
            yield call.performed_at, change, call.clock.timestamp()
    if last is None:
        return
    clock = last[1].timestamp() + history.ended_at - last[0]
    for job in history.jobs.values():
        if job.status is JobStatus.IN_PROGRESS:
            yield history.ended_at, Change(job, None, Event.DELETE), clock


def _entries(history: History) -> dict[str, datetime]:
    """Until when workers are to be listed, by id, as the directory was last told. It
    goes by the store's clock, which faults may have set back since."""
    lasting = 3 * history.config.job_claim_timeout + _ROUNDING
    entries: dict[str, datetime] = {}
    for call in history.performed:
        if call.clock is None:
            continue
        if call.verb == "seen":
            entries[call.asked.id] = call.clock + lasting
        elif call.verb == "gone":
            entries.pop(call.asked, None)
    return entries


def _times(history: History, verb: str) -> defaultdict[str, list[float]]:
    times: defaultdict[str, list[float]] = defaultdict(list)
    for call in history.calls:
        if call.verb == verb:
            times[call.process].append(call.made_at)
    return times


def _gaps(
    history: History, life: Life, times: Iterable[float], longest: float
) -> Iterator[tuple[float, float]]:
    """Where, in calm, nothing happened for longer than it may."""
    if history.calm_at is None:
        return
    begin = max(life.began_at, settled_at(history))
    ends = (life.stopping_at, life.ended_at, history.stopping_at, history.ended_at)
    end = min(each for each in ends if each is not None)
    inside = (each for each in times if begin <= each <= end)
    for one, other in pairwise((begin, *inside, end)):
        if other - one > longest:
            yield one, other


def _is_full(history: History, life: Life, begin: float, end: float) -> bool:
    """Whether the worker may have had no slot, or kept a job that was lost before apart
    from others."""
    busy = 0
    for run in history.running:
        over = run.ended_at is not None and run.ended_at < begin
        if history.lives[run.life] is life and run.began_at < end and not over:
            busy += 1
    suspects: set[str] = set()
    for call in history.performed:
        at = call.performed_at or 0.0
        for change in call.changes:
            job = change.after
            if job is None or job.worker != life.process or at > end:
                continue
            if job.status is JobStatus.IN_PROGRESS and job.losses:
                suspects.add(job.id)
            elif at < begin:
                suspects.discard(job.id)
    return busy >= life.concurrency or bool(suspects)
