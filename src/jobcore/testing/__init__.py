"""The kit that proves a store, for whoever writes one, and what tests of hosts need.

A store proves itself by inheriting the tests of what it can do and giving them a
fixture `store`: an opened, empty store. They need the extra `testing`; anyio's plugin
for pytest, which comes with anyio, runs them.

    from jobcore.testing import StoreConformance, VerifiableConformance
    from jobcore.testing import store_state_machine

    class TestAcmeStore(StoreConformance, VerifiableConformance):
        @pytest.fixture
        async def store(self) -> AsyncIterator[JobStore]:
            async with AcmeStore() as store:
                yield store

    TestAcmeStoreMachine = store_state_machine(AcmeStore).TestCase

Each test is named by a rule and starts with the method that must keep it. No test
sleeps: time passes by `JobStore.offset`, in steps of hours. The state machine drives
the store and a model through random histories; for each it calls its argument, which
must give an empty store that is opened by `async with`.

A store that lasts inherits `ReopeningConformance`, too, with a fixture `opening`: a
function that gives the same store at every call, not opened yet. With a fixture
`stopped`, a store whose clock a test made stand still, `OneInstantConformance` runs.
While a store is being written, `unfinished(AcmeStore)` stands for `AcmeStore`: tests
that come to a method which is not there are skipped.

A host's own tests open a store by `trial_url`: it lies where their configuration says,
is empty, and leaves nothing behind. `assert_submitted` and `assert_not_submitted` look
at what was submitted, `run_until_idle` works it off, `pass_time` lets what is to come
come at once, and `failing` makes a task fail at first. The pytest plugin of
`jobcore-pytest` has the fixtures that open it all.
"""

import pytest

pytest.register_assert_rewrite(
    "jobcore.testing.conformance",
    "jobcore.testing.comparison",
    "jobcore.testing.control_rules",
    "jobcore.testing.machine",
    "jobcore.testing.schedule_rules",
    "jobcore.testing.work",
)

# Only what is imported after this line has its assertions explained by pytest.
from jobcore.testing.conformance import (  # noqa: E402 - see above
    AN_INSTANT,
    ExplainableConformance,
    OneInstantConformance,
    Opening,
    QueueControlConformance,
    ReopeningConformance,
    ScheduleConformance,
    StoreConformance,
    TransactionalConformance,
    TrialConformance,
    VerifiableConformance,
    WorkerDirectoryConformance,
)
from jobcore.testing.failing import failing  # noqa: E402 - see above
from jobcore.testing.machine import store_state_machine  # noqa: E402 - see above
from jobcore.testing.running import run_until_idle  # noqa: E402 - see above
from jobcore.testing.submitted import (  # noqa: E402 - see above
    Expected,
    assert_not_submitted,
    assert_submitted,
)
from jobcore.testing.unfinished import unfinished  # noqa: E402 - see above
from jobcore.testing.work import (  # noqa: E402 - see above
    ERROR,
    LEASE,
    a_claim,
    a_job,
    a_request,
    a_token,
    applied,
    claimed,
    close,
    current,
    found,
    inserted,
    named,
    pass_time,
)
from jobcore.trial import trial_url  # noqa: E402 - see above

__all__ = [
    # the proof of a store
    "AN_INSTANT",
    "ExplainableConformance",
    "OneInstantConformance",
    "Opening",
    "QueueControlConformance",
    "ReopeningConformance",
    "ScheduleConformance",
    "StoreConformance",
    "TransactionalConformance",
    "TrialConformance",
    "VerifiableConformance",
    "WorkerDirectoryConformance",
    "store_state_machine",
    "unfinished",
    # tests of hosts
    "Expected",
    "assert_not_submitted",
    "assert_submitted",
    "failing",
    "run_until_idle",
    "trial_url",
    # acts for tests
    "ERROR",
    "LEASE",
    "a_claim",
    "a_job",
    "a_request",
    "a_token",
    "applied",
    "claimed",
    "close",
    "current",
    "found",
    "inserted",
    "named",
    "pass_time",
]
