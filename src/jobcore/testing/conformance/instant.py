"""The rules of a store at one instant, at which its clock stands still.

The clock of a store goes on between any two calls. That a lease which ends now has run
out, and a job which is due now is due, shows only where a test can stop it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from jobcore import lifecycle
from jobcore.job import JobStatus
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import (
    LEASE,
    a_claim,
    a_job,
    a_token,
    current,
    inserted,
    pass_time,
)
from jobcore.transition import Answer

AN_INSTANT: Final = datetime(2030, 1, 1, tzinfo=UTC)
"""Where the clock of a store may stand still, but for its offset."""

_SHORT: Final = timedelta(microseconds=1)


class OneInstantConformance(Conformance):
    """The tests of a fixture `stopped`: a store whose clock stands still; see
    `jobcore.testing`."""

    async def test_expired_finds_at_one_instant_a_lease_that_ends(
        self, stopped: JobStore
    ) -> None:
        claim = await a_claim(stopped)
        lose = lifecycle.lose(claim, a_token(), b"{}", timedelta(0), 3)
        pass_time(stopped, LEASE - _SHORT)
        assert await stopped.expired(1) == []
        assert await stopped.apply([lose]) == [Answer.LEASE]
        pass_time(stopped, _SHORT)
        assert [each.token for each in await stopped.expired(1)] == [claim.token]
        assert await stopped.apply([lose]) == [Answer.APPLIED]

    async def test_promote_queues_at_one_instant_a_job_that_is_due(
        self, stopped: JobStore
    ) -> None:
        (job,) = await inserted(stopped, a_job(delay=LEASE))
        pass_time(stopped, LEASE - _SHORT)
        assert (await stopped.promote(1)).next_due_in == _SHORT
        pass_time(stopped, _SHORT)
        assert (await stopped.promote(1)).promoted == 1
        assert (await current(stopped, job.id)).status is JobStatus.QUEUED
