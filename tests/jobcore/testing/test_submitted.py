from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import Unpack

from jobcore import DefaultJobManager, JobStatus, Limit, Priority, Tasks
from jobcore.request import SubmitOptions
from jobcore.testing import (
    Expected,
    assert_not_submitted,
    assert_submitted,
    run_until_idle,
)

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
NOON = datetime(2100, 1, 1, 12, tzinfo=UTC)

tasks = Tasks()


@tasks.task()
async def greet(name: str, day: date = date.min) -> str:
    return f"Hello, {name}, on {day}!"


@tasks.task()
async def leave() -> None: ...


async def submit(
    jobs: DefaultJobManager, name: str = "Ada", **options: Unpack[SubmitOptions]
) -> str:
    return (await jobs.submit(greet.job(name), **options)).id


async def test_the_jobs_are_answered_the_earliest_first(
    jobs: DefaultJobManager,
) -> None:
    submitted = [await submit(jobs, name) for name in ("Ada", "Bob", "Ada")]
    await jobs.submit(leave.job())
    found = await assert_submitted(jobs, greet)
    assert [job.id for job in found] == submitted
    found = await assert_submitted(jobs, "greet", {"name": "Ada"})
    assert [job.id for job in found] == submitted[::2]


async def test_arguments_are_compared_as_they_are_stored(
    jobs: DefaultJobManager,
) -> None:
    day = date(2100, 1, 1)
    await jobs.submit(greet.job("Ada", day))
    (job,) = await assert_submitted(jobs, greet, {"day": day})
    assert job.arguments == {"name": "Ada", "day": "2100-01-01"}
    await assert_not_submitted(jobs, greet, {"day": date(2100, 1, 2)})
    await assert_not_submitted(jobs, greet, {"unheard of": 1})


@pytest.mark.parametrize(
    ("given", "expected", "other"),
    [
        ({"queue": "mail"}, {}, {"queue": "default"}),
        ({"priority": Priority.HIGH}, {}, {"priority": Priority.LOW}),
        ({"run_at": NOON}, {}, {"run_at": NOON + HOUR}),
        ({"delay": HOUR}, {}, {"delay": 2 * HOUR}),
        ({"unique_key": "Ada"}, {}, {"unique_key": None}),
        (
            {"labels": {"to": "Ada", "by": "Bob"}},
            {"labels": {"by": "Bob"}},
            {"labels": {"by": "Ada"}},
        ),
        ({"limit_key": "mail", "limit": Limit(concurrency=1)}, {}, {"limit_key": None}),
        ({"timeout": HOUR}, {}, {"timeout": None}),
        ({"deadline": HOUR}, {}, {"deadline": None}),
        ({"expires_in": HOUR}, {}, {"expires_in": 2 * HOUR}),
        ({"correlation_id": "one"}, {}, {"correlation_id": "two"}),
        ({"max_retries": 7}, {}, {"max_retries": 8}),
        ({"approval": True}, {"status": JobStatus.HELD}, {"status": JobStatus.QUEUED}),
    ],
)
async def test_options_are_those_of_the_submit(
    jobs: DefaultJobManager, given: Any, expected: Any, other: Any
) -> None:
    await submit(jobs, **given)
    wanted: Expected = expected or given
    await assert_submitted(jobs, greet, {"name": "Ada"}, **wanted)
    await assert_not_submitted(jobs, greet, **other)


async def test_values_are_of_the_type_that_the_task_returns(
    jobs: DefaultJobManager,
) -> None:
    @tasks.task()
    async def today() -> date:
        return date.max

    await jobs.submit(today.job())
    await run_until_idle(jobs, tasks)
    (job,) = await assert_submitted(jobs, today, status=JobStatus.COMPLETED)
    assert job.value == date.max


async def test_whoever_expects_in_vain_is_told_what_there_is(
    jobs: DefaultJobManager,
) -> None:
    await submit(jobs, delay=HOUR, unique_key="Ada")
    await jobs.submit(leave.job())
    with pytest.raises(AssertionError) as told:
        await assert_submitted(jobs, greet, {"name": "Bob"}, queue="mail")
    assert str(told.value).splitlines() == [
        'nothing submitted like greet {"name":"Bob"}, queue=mail; there is:',
        '  greet {"name":"Ada"}, queue=default, priority=0, '
        "status=scheduled, delay=1:00:00, unique_key=Ada",
        "  leave {}, queue=default, priority=0, status=queued",
    ]


async def test_whoever_expects_in_vain_is_told_that_there_is_nothing(
    jobs: DefaultJobManager,
) -> None:
    with pytest.raises(AssertionError, match=r"like greet \{\}; there is no job"):
        await assert_submitted(jobs, greet)


async def test_what_should_not_be_there_is_listed(jobs: DefaultJobManager) -> None:
    await submit(jobs, "Ada")
    await submit(jobs, "Bob")
    with pytest.raises(AssertionError) as told:
        await assert_not_submitted(jobs, greet, {"name": "Bob"})
    assert "Bob" in str(told.value)
    assert "Ada" not in str(told.value)
