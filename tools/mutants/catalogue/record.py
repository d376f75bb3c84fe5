"""Rules of the record of a job, which stores that keep jobs whole rely on."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import RECORD

_RECORD: Final = "jobcore/record.py"

RECORDS: Final = (
    Mutant(
        "a record keeps its token when the job is no longer in progress",
        _RECORD,
        "self.token if job.status is JobStatus.IN_PROGRESS else None",
        "self.token",
        {RECORD: ()},
    ),
    Mutant(
        "a record keeps its unique key outside the scope",
        _RECORD,
        "self.has_unique_key and _may_have_key(job)",
        "self.has_unique_key",
        {RECORD: ()},
    ),
    Mutant(
        "a record takes its unique key again with any write",
        _RECORD,
        "transition.next_generation and _may_have_key(changed.job)",
        "_may_have_key(changed.job)",
        {RECORD: ()},
    ),
    Mutant(
        "a record forgets which write was the last",
        _RECORD,
        "transition.receipt or self.receipt",
        "self.receipt",
        {RECORD: ()},
    ),
    Mutant(
        "a record makes a write twice",
        _RECORD,
        "if transition.came_before(self.receipt):",
        "if False:",
        {RECORD: ()},
    ),
    Mutant(
        "a record lets a renewal shorten a lease",
        _RECORD,
        "lease_until is not None and lease_until >= until",
        "lease_until is None",
        {RECORD: ()},
    ),
    Mutant(
        "a repeated claim is answered in the order of ids",
        "jobcore/claim.py",
        "*(places.get(job.queue, len(places)), job.priority),",
        "",
        {"tests/jobcore/test_claim.py": ()},
    ),
)
