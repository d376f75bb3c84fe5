"""How to test an application that uses jobs: on any store, without waiting.

    JOBCORE_STORE_URL=redis://localhost uv run pytest examples/test_host_application.py

`jobcore_manager` is a fixture of the plugin jobcore-pytest: a manager on a store of the
test's own. By default that is memory://, which is the quickest. The others are those of
production, and what is there already is neither seen nor touched.
"""

from datetime import timedelta

import host_application
import pytest
from host_application import Mailer, send_digest, send_welcome, sign_up, tasks

from jobcore import DefaultJobManager, JobStatus
from jobcore.testing import (
    assert_not_submitted,
    assert_submitted,
    failing,
    pass_time,
    run_until_idle,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def jobs(jobcore_manager: DefaultJobManager) -> DefaultJobManager:
    """A shorter name."""
    return jobcore_manager


class Outbox(Mailer):
    """A mailer that keeps what it is to send."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, to: str, text: str) -> None:
        self.sent.append(f"{to}: {text}")


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """What workers of the test open as their resource."""
    outbox = Outbox()
    monkeypatch.setattr(host_application, "Mailer", lambda: outbox)
    return outbox


async def test_signing_up_submits_a_mail(jobs: DefaultJobManager) -> None:
    """Without a worker nothing runs, and what was submitted can be looked at."""
    await sign_up(jobs, "ada@example.org")

    (job,) = await assert_submitted(
        jobs, send_welcome, {"email": "ada@example.org"}, queue="mail"
    )
    assert job.status is JobStatus.QUEUED
    await assert_not_submitted(jobs, send_digest)


async def test_signing_up_twice_submits_one_mail(jobs: DefaultJobManager) -> None:
    await sign_up(jobs, "ada@example.org")
    again = await sign_up(jobs, "ada@example.org")

    assert again.is_duplicate
    (job,) = await assert_submitted(jobs, send_welcome)
    assert job.id == again.id


async def test_the_mail_is_sent(jobs: DefaultJobManager, outbox: Outbox) -> None:
    """With a worker the whole way is tested; it opens resources when it starts."""
    await sign_up(jobs, "ada@example.org")

    (job,) = await run_until_idle(jobs, tasks)

    assert job.value == "Ada"
    assert outbox.sent == ["ada@example.org: Welcome, Ada!"]


async def test_the_mail_is_sent_though_the_service_was_away(
    jobs: DefaultJobManager, outbox: Outbox
) -> None:
    """No retry is waited for: time passes by itself to the next one."""
    await sign_up(jobs, "ada@example.org")
    away = failing(tasks, send_welcome, ConnectionError("away"), times=5)

    (job,) = await run_until_idle(jobs, away, retries=True)

    assert job.failures == 5
    assert len(outbox.sent) == 1


async def test_an_address_that_is_none_is_not_tried_again(
    jobs: DefaultJobManager, outbox: Outbox
) -> None:
    """What a handler raises is raised in the test."""
    job = await sign_up(jobs, "ada")

    with pytest.raises(ValueError, match="ada is no address"):
        await run_until_idle(jobs, tasks)

    assert (await jobs.get(job)).status is JobStatus.FAILED
    assert outbox.sent == []


async def test_the_digest_is_sent_every_day(
    jobs: DefaultJobManager, outbox: Outbox
) -> None:
    await run_until_idle(jobs, tasks)  # the first worker declares the schedule
    for _ in range(2):
        pass_time(jobs, timedelta(days=1))
        await run_until_idle(jobs, tasks)

    assert outbox.sent == ["all@example.org: What is new"] * 2


async def test_the_mail_is_sent_when_the_worker_that_had_it_died(
    jobs: DefaultJobManager, outbox: Outbox
) -> None:
    await sign_up(jobs, "ada@example.org")
    await jobs.claim("worker-that-dies", ["mail"], 1)

    pass_time(jobs, jobs.config.job_claim_timeout)
    (job,) = await run_until_idle(jobs, tasks, retries=True)

    assert (job.value, job.losses) == ("Ada", 1)
    assert len(outbox.sent) == 1
