from __future__ import annotations

import pytest

from jobcore import DefaultJobManager, JobStatus, Tasks, UnknownTaskError, Worker
from jobcore.testing import failing, run_until_idle

pytestmark = pytest.mark.anyio

tasks = Tasks()
called: list[str] = []


@tasks.task(aliases=["welcome"])
async def greet(name: str) -> str:
    called.append(name)
    return f"Hello, {name}!"


@tasks.task()
def shout(name: str) -> str:
    return name.upper()


@pytest.fixture(autouse=True)
def _forget() -> None:
    called.clear()


async def test_each_job_of_the_task_fails_at_first(jobs: DefaultJobManager) -> None:
    await jobs.submit_many([greet.job("Ada"), greet.job("Bob"), shout.job("Eve")])
    flaky = failing(tasks, greet, ConnectionError("refused"), times=2)
    ran = await run_until_idle(jobs, flaky, retries=True)
    assert {job.value: job.failures for job in ran} == {
        "Hello, Ada!": 2,
        "Hello, Bob!": 2,
        "EVE": 0,
    }
    assert sorted(called) == ["Ada", "Bob"]


async def test_the_error_is_the_one_that_was_chosen(jobs: DefaultJobManager) -> None:
    await jobs.submit(greet.job("Ada"), max_retries=0)
    error = ConnectionError("refused")
    with pytest.raises(ConnectionError) as raised:
        await run_until_idle(jobs, failing(tasks, greet, error))
    assert raised.value is error
    assert called == []


async def test_functions_that_are_not_async_fail_as_well(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(shout.job("Ada"))
    with pytest.raises(OSError, match=f"raised by job {job.id}"):
        await run_until_idle(jobs, failing(tasks, "shout", OSError))


async def test_a_job_of_an_earlier_name_fails_as_well(jobs: DefaultJobManager) -> None:
    request = greet.job("Ada")
    earlier = type(request)("welcome", request.arguments)
    await jobs.submit(earlier)
    with pytest.raises(OSError):  # noqa: PT011 - it has no message
        await run_until_idle(jobs, failing(tasks, "welcome", OSError))


async def test_several_tasks_fail_and_the_tasks_themselves_do_not(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit_many([greet.job("Ada"), shout.job("Bob")], max_retries=0)
    both = failing(failing(tasks, greet, OSError), shout, OSError)
    await run_until_idle(jobs, both, raise_errors=False)
    assert (await jobs.statistics()).count(JobStatus.FAILED) == 2
    again = await jobs.submit(greet.job("Ada"))
    async with Worker(jobs, tasks):
        assert await jobs.result(again) == "Hello, Ada!"


def test_a_task_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownTaskError):
        failing(tasks, "unheard", OSError)
