"""Rules that the memory store keeps itself."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import MANAGER, MEMORY

_STORE: Final = "jobcore/memory/store.py"
_RECORDS: Final = "jobcore/memory/records.py"
_CONTROL: Final = "jobcore/memory/control.py"


def _mutant(rule: str, file: str, old: str, new: str, *words: str) -> Mutant:
    return Mutant(f"memory: {rule}", file, old, new, {MEMORY: words})


MEMORIES: Final = (
    _mutant(
        "a repeated write is made twice",
        _STORE,
        " or transition.came_before(record.receipt)",
        "",
        "apply_repeated",
    ),
    _mutant(
        "an end leaves no receipt",
        _STORE,
        "transition.receipt or record.receipt",
        "record.receipt",
        "apply_repeated",
        "receipt",
    ),
    _mutant(
        "a token outlives its claim",
        _RECORDS,
        "            record.token = None\n",
        "            pass\n",
        "apply_",
        "renew",
        "verify",
    ),
    _mutant(
        "a claim takes what is not queued",
        _RECORDS,
        "record is None or record.job.status is not self.status:",
        "record is None:",
        "test_claim_leaves",
        "test_claim_hands",
    ),
    _mutant(
        "claims go by the largest priority first",
        "jobcore/memory/line.py",
        "in sorted(self._levels):\n            level =",
        "in sorted(self._levels, reverse=True):\n            level =",
        "test_claim_takes",
    ),
    _mutant(
        "the repeat of a claim takes more",
        _STORE,
        "if request.repeated and ",
        "if False and ",
        "test_claim_repeated",
    ),
    _mutant(
        "a paused queue is claimed from",
        _STORE,
        "if not self._control.is_paused(queue):",
        "if True:",
        "pause",
    ),
    _mutant(
        "jobs of a paused task start",
        _CONTROL,
        "if job.task in self._paused.tasks:",
        "if False:",
        "pause",
    ),
    _mutant(
        "jobs of a full key start",
        _CONTROL,
        'if self._places(f"limit:{key}", job) == 0:',
        "if False:",
        "test_claim_starts",
        "test_claim_counts",
        "too_many",
    ),
    _mutant(
        "lift asks for no pause",
        _CONTROL,
        "0 if name in self._paused.tasks else sys.maxsize",
        "sys.maxsize",
        "lift",
    ),
    _mutant(
        "lift asks for no free place",
        _CONTROL,
        "min(limit, self._places(holder, record.job))",
        "limit if holder[0] == 'l' else min(limit, self._places(holder, record.job))",
        "lift",
    ),
    _mutant(
        "renew asks for no token",
        _STORE,
        "record.token != claim.token",
        "record.token is None",
        "renew",
    ),
    _mutant(
        "renew shortens a lease",
        _STORE,
        "record.job.lease_until < until",
        "True",
        "renew",
    ),
    _mutant(
        "renew keeps a request to cancel to itself",
        _STORE,
        "requested.add(claim.job_id)",
        "pass",
        "renew",
    ),
    _mutant(
        "expired finds leases that run",
        _STORE,
        "each.job.lease_until <= now and ",
        "",
        "expired",
    ),
    _mutant(
        "expired leaves out a lease that ends now",
        _STORE,
        "lease_until <= now",
        "lease_until < now",
        "one_instant",
    ),
    _mutant(
        "a job is promoted before it is due",
        _STORE,
        "due_at > now or promoted == limit",
        "promoted == limit",
        "promote",
    ),
    _mutant(
        "a job that is due now is not promoted",
        _STORE,
        "due_at > now",
        "due_at >= now",
        "one_instant",
    ),
    _mutant(
        "delete takes a job in progress",
        _STORE,
        "job.status is not JobStatus.IN_PROGRESS and ",
        "",
        "delete",
    ),
    _mutant(
        "a cursor passes over jobs",
        _STORE,
        "Page(tuple(jobs), job_id)",
        "Page(tuple(jobs), min(self._records.by_id))",
        "find",
    ),
    _mutant(
        "the count of what a job left stays",
        _RECORDS,
        "self.counts[job.queue, status] -= 1",
        "pass",
        "statistics",
    ),
    _mutant(
        "a unique key is never freed",
        _RECORDS,
        " and job.status not in job.unique_scope:",
        " and False:",
        "key",
    ),
    _mutant(
        "insert asks for no unique key",
        _STORE,
        "if there is None and job.unique_key is not None:",
        "if False:",
        "key",
    ),
    Mutant(
        "memory: nobody is woken",
        _RECORDS,
        "waiter.set_result(None)",
        "pass",
        {MANAGER: ("test_wait",)},
    ),
    _mutant(
        "a duty is given to everybody",
        "jobcore/memory/directory.py",
        "if due_at is not None and now < due_at",
        "if due_at is not None and due_at < now < due_at",
        "turn",
    ),
)
