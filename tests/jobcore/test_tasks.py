"""Tasks: named handlers, and typed requests for jobs that run them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobcore import (
    DefaultJobManager,
    InvalidJobError,
    JobContext,
    Limit,
    TaskNameError,
    Tasks,
    UnknownTaskError,
    fixed,
)
from jobcore.tasks import is_async


@pytest.fixture
def tasks() -> Tasks:
    return Tasks()


async def greet(name: str, times: int = 1) -> str:
    return "hello " * times + name


def test_a_task_makes_requests_that_are_checked(tasks: Tasks) -> None:
    task = tasks.task()(greet)
    request = task.job("Ada", times=2)
    assert request.task == "greet"
    assert request.arguments == {"name": "Ada", "times": 2}
    assert request.options == {}
    assert request.result_type is task.arguments.result_type
    wrong: Any = task
    with pytest.raises(InvalidJobError, match="name"):
        wrong.job(5)


@pytest.mark.anyio
async def test_a_task_is_still_the_function(tasks: Tasks) -> None:
    assert await tasks.task()(greet)("Ada", times=2) == "hello hello Ada"

    @tasks.task()
    def double(number: int) -> int:
        return 2 * number

    assert double(4) == 8


@pytest.mark.anyio
async def test_a_context_is_the_first_argument_of_the_call_and_none_of_the_job(
    tasks: Tasks,
) -> None:
    @tasks.task(context=True)
    async def tell(context: JobContext, name: str) -> str:
        return f"{name} {context}"

    @tasks.task(context=True)
    def shout(context: JobContext, name: str) -> str:
        return f"{name.upper()} {context}"

    context: Any = "here"
    assert await tell(context, "Ada") == "Ada here"
    assert shout(context, "Ada") == "ADA here"
    assert tell.job("Ada").arguments == shout.job("Ada").arguments == {"name": "Ada"}
    assert tell.context
    assert not tasks.task()(greet).context


def test_a_task_knows_whether_its_function_is_async(tasks: Tasks) -> None:
    class Handler:
        async def __call__(self, name: str) -> str:
            return name

    assert is_async(greet)
    assert is_async(Handler())
    assert not is_async(str.upper)
    assert not is_async(lambda: None)
    task = tasks.task(name="handle")(Handler())
    assert task.job("Ada").arguments == {"name": "Ada"}


def test_a_function_without_a_name_needs_one(tasks: Tasks) -> None:
    class Handler:
        def __call__(self) -> None: ...

    with pytest.raises(InvalidJobError, match="task"):
        tasks.task()(Handler())
    with pytest.raises(InvalidJobError, match="task"):
        tasks.task()(lambda: None)


@pytest.mark.parametrize("name", ["", "a b", "a.b", "x" * 65, "__import__"])
def test_a_name_that_no_store_would_take_is_refused(tasks: Tasks, name: str) -> None:
    with pytest.raises(InvalidJobError):
        tasks.task(name=name)(greet)
    with pytest.raises(InvalidJobError):
        tasks.task(aliases=[name])(greet)


def test_a_task_is_found_by_its_name_and_its_earlier_names(tasks: Tasks) -> None:
    task = tasks.task(name="welcome", aliases=["greet", "salute"])(greet)
    assert [tasks[name] for name in ("welcome", "greet", "salute")] == [task] * 3
    assert "greet" in tasks
    assert "hello" not in tasks
    assert list(tasks) == [task]
    assert task.job("Ada").task == "welcome"


def test_a_task_that_is_not_there_is_told_by_name(tasks: Tasks) -> None:
    with pytest.raises(UnknownTaskError) as refused:
        tasks["os.system"]
    assert (refused.value.code, refused.value.task) == ("unknown_task", "os.system")


NEAR = ["joe-does", "joeDoes", "joe_does", "JOEDOES", "j_o_e-does"]


@pytest.mark.parametrize("first", NEAR)
@pytest.mark.parametrize("second", NEAR)
def test_names_that_people_take_for_one_are_refused_with_both_named(
    tasks: Tasks, first: str, second: str
) -> None:
    tasks.task(name=first)(greet)
    with pytest.raises(TaskNameError) as refused:
        tasks.task(name=second)(greet)
    assert refused.value.code == "task_name"
    assert (refused.value.name, refused.value.existing) == (second, first)
    assert first in str(refused.value)
    assert second in str(refused.value)


def test_an_alias_may_be_as_near_to_its_own_task_as_renames_are(tasks: Tasks) -> None:
    task = tasks.task(name="send_email", aliases=["send-email", "sendEmail"])(greet)
    assert tasks["send-email"] is tasks["sendEmail"] is task


def test_a_label_that_is_no_argument_is_refused(tasks: Tasks) -> None:
    with pytest.raises(InvalidJobError, match="'nobody'"):
        tasks.task(labels=["nobody"])(greet)


def test_a_generator_is_refused_as_it_would_never_run(tasks: Tasks) -> None:
    def numbers() -> Iterator[int]:
        yield 1

    async def letters() -> AsyncIterator[str]:
        yield "a"

    for function in (numbers, letters):
        with pytest.raises(InvalidJobError, match="generator"):
            tasks.task()(function)


def test_aliases_are_as_near_as_names(tasks: Tasks) -> None:
    tasks.task(name="welcome", aliases=["greet"])(greet)
    with pytest.raises(TaskNameError):
        tasks.task(name="Greet")(greet)
    with pytest.raises(TaskNameError):
        tasks.task(name="bow", aliases=["wel-come"])(greet)
    with pytest.raises(TaskNameError):
        tasks.task(name="nod", aliases=["greet"])(greet)


def test_defaults_of_a_task_become_options_of_its_requests(tasks: Tasks) -> None:
    limit = Limit(concurrency=2)
    task = tasks.task(
        queue="mail",
        priority=5,
        timeout=timedelta(seconds=9),
        max_retries=7,
        limit=limit,
        retry=fixed(timedelta(seconds=1)),
    )(greet)
    request = task.job("Ada")
    assert request.options == {
        "queue": "mail",
        "priority": 5,
        "timeout": timedelta(seconds=9),
        "max_retries": 7,
        "limit": limit,
        "limit_key": "task:greet",
    }
    assert request.with_options(queue="other").options["queue"] == "other"


def test_a_limit_may_be_shared_under_a_key(tasks: Tasks) -> None:
    limit = Limit(concurrency=2)
    task = tasks.task(limit=limit, limit_key="smtp")(greet)
    assert task.job("Ada").options == {"limit": limit, "limit_key": "smtp"}


def test_a_limit_that_no_claim_can_work_with_is_refused(tasks: Tasks) -> None:
    with pytest.raises(InvalidJobError, match="concurrency"):
        tasks.task(limit=Limit(concurrency=0))(greet)


def test_named_arguments_become_labels(tasks: Tasks) -> None:
    task = tasks.task(labels=["name", "times"])(greet)
    assert task.job("Ada").options == {"labels": {"name": "Ada"}}
    assert task.job("Ada", times=2).options == {"labels": {"name": "Ada", "times": "2"}}
    more = task.job("Ada").with_options(labels={"city": "Oslo"})
    assert more.options == {"labels": {"name": "Ada", "city": "Oslo"}}


def test_include_takes_over_tasks_and_resources_once(tasks: Tasks) -> None:
    @tasks.worker_resource
    async def pool() -> AsyncIterator[int]:
        yield 1

    task = tasks.task(queue="mail")(greet)
    host = Tasks()
    host.include(tasks)
    host.include(tasks)
    assert list(host) == [task]
    assert host.resources == [pool]
    other = Tasks()
    other.task(name="Greet")(greet)
    with pytest.raises(TaskNameError):
        host.include(other)


def test_queues_are_those_that_tasks_name_in_order(tasks: Tasks) -> None:
    for name, queue in (("a", "mail"), ("b", "files"), ("c", "mail")):
        tasks.task(name=name, queue=queue)(greet)
    assert tasks.queues("default") == ("mail", "files")
    tasks.task(name="d")(greet)
    assert tasks.queues("default") == ("mail", "files", "default")


@pytest.mark.anyio
async def test_a_job_from_submit_has_what_the_task_says(
    tasks: Tasks, jobs: DefaultJobManager
) -> None:
    task = tasks.task(queue="mail", labels=["name"], limit=Limit(concurrency=1))(greet)
    job = await jobs.submit(task.job("Ada"), labels={"city": "Oslo"}, priority=3)
    assert (job.task, job.queue, job.priority) == ("greet", "mail", 3)
    assert job.labels == {"name": "Ada", "city": "Oslo"}
    assert (job.limit_key, job.limit) == ("task:greet", Limit(concurrency=1))
    assert job.arguments == {"name": "Ada"}


SNIPPET = """
from jobcore import DefaultJobManager, InMemoryJobStore, Job, JobContext, Tasks

tasks = Tasks()

@tasks.task(queue="mail")
async def send_email(to: str, subject: str = "") -> str:
    return to

@tasks.task()
def double(number: int) -> int:
    return 2 * number

@tasks.task(context=True)
async def tell(context: JobContext, name: str) -> bytes:
    return name.encode()

@tasks.task(context=True)
def shout(context: JobContext, name: str) -> bytes:
    return name.encode()

async def main(jobs: DefaultJobManager, context: JobContext) -> None:
"""

RIGHT = """
    job: Job[str] = await jobs.submit(send_email.job("ada@example.org", subject="hi"))
    text: str = await jobs.result(job)
    fresh: Job[str] = await jobs.get(job)
    many: list[Job[int]] = await jobs.submit_many([double.job(1), double.job(2)])
    number: int = double(4) + await jobs.result(many[0])
    sent: str = await send_email("ada@example.org")
    told: bytes = await tell(context, "Ada") + shout(context, "Ada")
    later: bytes = await jobs.result(await jobs.submit(tell.job("Ada")))
    loud: bytes = await jobs.result(await jobs.submit(shout.job(name="Ada")))
"""

WRONG = {
    "send_email.job(5)": "arg-type",
    "send_email.job()": "call-arg",
    'send_email.job("ada", sbject="hi")': "call-arg",
    'send_email.job("ada", "hi", 3)': "call-arg",
    'double.job("1")': "arg-type",
    'tell.job(context, "Ada")': "call-arg",
    "tell.job(name=5)": "arg-type",
    'await tell("Ada")': "call-arg",
    'n: int = await jobs.result(await jobs.submit(send_email.job("a")))': "arg-type",
    'await jobs.submit(send_email.job("a"), prority=1)': "call-arg",
    'await jobs.submit(send_email.job("a"), priority="high")': "arg-type",
    '@tasks.task(que="mail")\n    async def misspelt() -> None: ...': "call-overload",
    "@tasks.task(context=True)\n    async def odd(x: str) -> None: ...": "arg-type",
}


def test_type_checkers_accept_right_calls_and_point_at_wrong_ones(
    tmp_path: Path,
) -> None:
    text, expected = SNIPPET + RIGHT, {}
    for wrong, code in WRONG.items():
        expected[text.count("\n") + 1] = code
        text += f"    {wrong}\n"
    file = tmp_path / "host.py"
    file.write_text(text)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    errors = re.findall(r"host\.py:(\d+): error: .*\[([a-z-]+)\]", done.stdout)
    found = {(int(line), code) for line, code in errors}
    assert {line for line, _ in found} == set(expected), done.stdout
    assert set(expected.items()) <= found, done.stdout
