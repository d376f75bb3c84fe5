"""The faults that are looked for on every store."""

from __future__ import annotations

from typing import Final

from jobcore.finding import Fault, Severity

_PROBLEM, _ADVICE = Severity.PROBLEM, Severity.ADVICE

UNAVAILABLE: Final = Fault(
    code="unavailable",
    severity=_PROBLEM,
    sentence="The store does not do what it is asked: {error}.",
    remedy="Look at its server, and at the way there. No more was examined.",
)
CLOCK_SKEW: Final = Fault(
    code="clock_skew",
    severity=_PROBLEM,
    sentence=(
        "The clocks of the store and of this host are {apart} s apart; the {first}'s "
        "is ahead."
    ),
    remedy=(
        "Synchronize both (NTP). Leases do not suffer, as only the store's counts; "
        "what is given as an instant, such as `run_at`, is off by so much."
    ),
)
SLOW_CLAIMS: Final = Fault(
    code="slow_claims",
    severity=_PROBLEM,
    sentence="A claim that finds nothing takes {took} ms, more than {bound} ms.",
    remedy=(
        "Look at the load of the server and of this host, at the way between them, and "
        "at missing indexes or bloat."
    ),
)
THIN_LEASE: Final = Fault(
    code="thin_lease",
    severity=_PROBLEM,
    sentence=(
        "A renewal takes {took} ms, and a lease lasts {lease} ms: one hiccup of the "
        "store loses claims, and jobs run twice."
    ),
    remedy="Let `job_claim_timeout` be far more than ten times what a renewal takes.",
)
ORPHANED_SCHEDULE: Final = Fault(
    code="orphaned_schedule",
    severity=_PROBLEM,
    sentence="Schedule {schedule} makes no jobs, as no worker has its task {task}.",
    remedy="Deploy the task, or remove the schedule (`unschedule`).",
)
LATE_SCHEDULE: Final = Fault(
    code="late_schedule",
    severity=_PROBLEM,
    sentence=(
        "Schedule {schedule} should have made a job at {due_at:%Y-%m-%d %H:%M:%S} UTC, "
        "and nobody has."
    ),
    remedy="Let a worker do upkeep, as each does unless told not to.",
)
QUEUE_WITHOUT_WORKER: Final = Fault(
    code="queue_without_worker",
    severity=_PROBLEM,
    sentence="No live worker asks for queue {queue}, where jobs wait: {queued}.",
    remedy="Start a worker for it, or move its jobs.",
)
TASK_WITHOUT_WORKER: Final = Fault(
    code="task_without_worker",
    severity=_PROBLEM,
    sentence=(
        "Jobs of task {task}, such as {job_id}, wait in queue {queue}, and no worker "
        "that asks for it has the task."
    ),
    remedy="Deploy the task; look for another spelling of its name.",
)
STALE_CLAIMS: Final = Fault(
    code="stale_claims",
    severity=_PROBLEM,
    sentence=(
        "Leases ran out, the first at {since:%Y-%m-%d %H:%M:%S} UTC, and nobody has "
        "released the claims: {claims}, such as that of {job_id}."
    ),
    remedy="Let a worker do upkeep, as each does unless told not to.",
)
NOT_PROMOTED: Final = Fault(
    code="not_promoted",
    severity=_PROBLEM,
    sentence=(
        "Scheduled jobs are due since {since:%Y-%m-%d %H:%M:%S} UTC, and nobody has "
        "queued them."
    ),
    remedy="Let a worker do upkeep, as each does unless told not to.",
)
UNSOUND: Final = Fault(
    code="unsound",
    severity=_PROBLEM,
    sentence="What is stored contradicts itself ({rule}, {times} times): {first}.",
    remedy=(
        "Somebody wrote past jobcore, or the server lost a part. Restore a backup; on "
        "Redis `RedisJobStore.repair` mends indexes and counts."
    ),
)

FAULTS: Final = (
    *(UNAVAILABLE, CLOCK_SKEW, SLOW_CLAIMS, THIN_LEASE),
    *(ORPHANED_SCHEDULE, LATE_SCHEDULE, QUEUE_WITHOUT_WORKER, TASK_WITHOUT_WORKER),
    *(STALE_CLAIMS, NOT_PROMOTED, UNSOUND),
)
"""All of them, in the order in which they are looked for."""
