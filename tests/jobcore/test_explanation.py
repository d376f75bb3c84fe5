"""The sentence of an explanation stays short, whatever it is made of."""

from __future__ import annotations

import pytest

from jobcore import MOST_AHEAD, Cause, Explanation, Job, Limit, NewJob
from jobcore.testing import AN_INSTANT, a_job


def a_stored_job(**fields: object) -> Job:
    new: NewJob = a_job(id="j", queue="mail", **fields)
    return Job.stored(new, AN_INSTANT)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "none of its jobs runs"),
        (1, "j-0 runs"),
        (3, "j-0 and j-1 and j-2 run"),
        (4, "j-0, j-1, j-2 and 1 other run"),
        (10_000, "j-0, j-1, j-2 and 9,997 others run"),
    ],
)
def test_few_of_those_that_run_are_named(count: int, words: str) -> None:
    told = Explanation(
        job=a_stored_job(limit_key="acme"),
        cause=Cause.LIMIT_FULL,
        limit=Limit(concurrency=max(count, 1)),
        running=tuple(f"j-{each}" for each in range(count)),
    )
    assert told.sentence.endswith(f"; {words}.")


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (1, "behind 1 other."),
        (MOST_AHEAD - 1, "behind 9,999 others."),
        (MOST_AHEAD, "behind at least 10,000 others."),
    ],
)
def test_those_ahead_are_counted_up_to_a_bound(ahead: int, words: str) -> None:
    told = Explanation(job=a_stored_job(), cause=Cause.BEHIND_OTHERS, ahead=ahead)
    assert told.sentence == f"It waits in queue mail {words}"


@pytest.mark.parametrize(
    ("limit_key", "labels", "schedule"),
    [
        ("schedule:nightly", {"schedule": "nightly"}, "nightly"),
        ("schedule:nightly", {}, None),
        ("nightly", {"schedule": "nightly"}, None),
        (None, {"schedule": ""}, None),
    ],
)
def test_a_schedule_is_named_by_its_own_jobs(
    limit_key: str | None, labels: dict[str, str], schedule: str | None
) -> None:
    job = a_stored_job(limit_key=limit_key, labels=labels)
    assert Explanation(job=job, cause=Cause.LIMIT_FULL).schedule == schedule
