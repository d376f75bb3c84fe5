"""What there is to judge a run by, once it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from jobcore import Job
from tools.faults.course import Struck
from tools.faults.journal import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What there is to judge by, once no worker runs any more."""

    submitted: Mapping[str, float]
    """The jobs whose submit returned, and when, in monotonic time."""
    refusals: Sequence[str] = ()
    """What the submits that were refused were told."""
    jobs: Mapping[str, Job]
    """The jobs that the store has, with their attempts."""
    journal: Sequence[Line]
    struck: Struck
    workers: frozenset[str] = frozenset()
    """Those that worked in the end."""
    lease: timedelta
    bound: timedelta
    """How long after its last renewal each claim of a stricken worker may last."""
