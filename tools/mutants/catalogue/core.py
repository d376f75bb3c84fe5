"""Rules of the core that every store relies on: guards, the lifecycle, the pace."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import (
    ENDING,
    LIFECYCLE,
    MANAGER,
    OPERATING,
    TRANSITION,
    both,
)

_TRANSITION: Final = "jobcore/transition.py"
_LIFECYCLE: Final = "jobcore/lifecycle.py"

CORE: Final = (
    Mutant(
        "apply asks for no token",
        _TRANSITION,
        " and self.token != token:",
        " and False:",
        {TRANSITION: (), **both("apply_refuses_a_write", "apply_refuses_a_token")},
    ),
    Mutant(
        "apply asks for no status",
        _TRANSITION,
        " and job.status not in self.statuses:",
        " and False:",
        {TRANSITION: (), **both("unexpected_status", "apply_names")},
    ),
    Mutant(
        "apply asks for no generation",
        _TRANSITION,
        " and self.generation != job.generation:",
        " and False:",
        {TRANSITION: (), **both("older_generation", "apply_names")},
    ),
    Mutant(
        "apply does not ask whether the lease ran out",
        _TRANSITION,
        "if self.lease_expired and ",
        "if False and ",
        {TRANSITION: (), **both("apply_refuses_to_lose_a_claim")},
    ),
    Mutant(
        "a lease that ends now has not run out",
        _TRANSITION,
        "job.lease_until > now",
        "job.lease_until >= now",
        {TRANSITION: (), **both("one_instant")},
    ),
    Mutant(
        "apply passes over a cancel request",
        _TRANSITION,
        "if self.no_cancel_request and ",
        "if False and ",
        {TRANSITION: (), **both("over_a_cancel_request")},
    ),
    Mutant(
        "a repeated write is refused",
        _TRANSITION,
        "        if self.came_before(receipt):\n",
        "        if False:\n",
        {TRANSITION: (), **both("apply_repeated")},
    ),
    Mutant(
        "another outcome under the same token is a repeat",
        _TRANSITION,
        'f"{self.token}:" + (self.outcome or "")',
        "self.token",
        {TRANSITION: (), **both("apply_refuses_another_outcome")},
    ),
    Mutant(
        "the end of a claim keeps its lease",
        _TRANSITION,
        '            fields["lease_until"] = None\n',
        "",
        {TRANSITION: (), **both("apply_ends_a_job", "apply_clears")},
    ),
    Mutant(
        "a running job is canceled without asking its worker",
        _LIFECYCLE,
        "JobEvent.CANCEL: _S.IN_PROGRESS,",
        "JobEvent.CANCEL: _S.CANCELED,",
        {LIFECYCLE: (), OPERATING: ("cancel",)},
    ),
    Mutant(
        "cancel does not expect the job it has seen",
        _LIFECYCLE,
        "    expect = Expectation(statuses=frozenset({job.status}), "
        "generation=job.generation)\n    if status",
        "    expect = Expectation()\n    if status",
        {LIFECYCLE: (), OPERATING: ("cancel",)},
    ),
    Mutant(
        "every end passes over a cancel request",
        _LIFECYCLE,
        "no_cancel_request=event is not JobEvent.COMPLETE",
        "no_cancel_request=False",
        {LIFECYCLE: (), ENDING: ("cancel", "request")},
    ),
    Mutant(
        "a release spends a retry",
        _LIFECYCLE,
        "JobEvent.RELEASE, Outcome.RELEASED, changes={})",
        "JobEvent.RELEASE, Outcome.RELEASED, "
        'changes={"failures": claim.job.failures + 1})',
        {LIFECYCLE: (), ENDING: ("release", "says")},
    ),
    Mutant(
        "a snooze spends a retry",
        _LIFECYCLE,
        "JobEvent.SNOOZE, Outcome.RELEASED, changes={}, ",
        "JobEvent.SNOOZE, Outcome.RELEASED, "
        'changes={"failures": claim.job.failures + 1}, ',
        {LIFECYCLE: (), ENDING: ("release", "snooze")},
    ),
    Mutant(
        "one retry less than was promised",
        _LIFECYCLE,
        "failures <= claim.job.max_retries",
        "failures < claim.job.max_retries",
        {LIFECYCLE: (), ENDING: ("failure",)},
    ),
    Mutant(
        "a job may be lost any number of times",
        _LIFECYCLE,
        "losses < max_lost",
        "losses < max_lost + 1000",
        {LIFECYCLE: (), MANAGER: ("stale", "lost")},
    ),
    Mutant(
        "a job may be lost once more than was said",
        _LIFECYCLE,
        "losses < max_lost",
        "losses <= max_lost",
        {LIFECYCLE: (), MANAGER: ("stale", "lost")},
    ),
    Mutant(
        "a claim is lost though its lease runs",
        _LIFECYCLE,
        "lease_expired=True",
        "lease_expired=False",
        {LIFECYCLE: (), MANAGER: ("renewal",)},
    ),
    Mutant(
        "upkeep loses a claim under the token of its holder",
        _LIFECYCLE,
        "replace(end, token=token, ",
        "replace(end, ",
        {LIFECYCLE: (), **both("one_upkeep")},
    ),
    Mutant(
        "a rate lets every job start",
        "jobcore/rate.py",
        "return ahead <= limit.burst * step",
        "return ahead >= step",
        both("rate"),
    ),
    Mutant(
        "a claim looks at no more entries than it may take",
        "jobcore/claim.py",
        "4 * self.limit + 64",
        "self.limit",
        both("test_claim_looks", "test_claim_stops", "past_a_full_key"),
    ),
)
