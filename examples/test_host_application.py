"""How to test an application that uses jobs: on the memory store, without waiting.

uv run pytest examples/test_host_application.py
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import host_application
import pytest
from host_application import Mailer, send_welcome, sign_up, tasks

from jobcore import Filter, JobManager, JobStatus, Worker, open_manager

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def jobs() -> AsyncIterator[JobManager]:
    """A new, empty store for each test."""
    async with open_manager("memory://") as manager:
        yield manager


async def test_signing_up_submits_a_mail(jobs: JobManager) -> None:
    """Without a worker nothing runs, and what was submitted can be looked at."""
    await sign_up(jobs, "ada@example.org")

    page = await jobs.find(Filter(task=send_welcome.name))

    (job,) = page.jobs
    assert job.arguments == {"email": "ada@example.org"}
    assert (job.queue, job.status) == ("mail", JobStatus.QUEUED)


async def test_signing_up_twice_submits_one_mail(jobs: JobManager) -> None:
    first = await sign_up(jobs, "ada@example.org")
    again = await sign_up(jobs, "ada@example.org")

    assert again.is_duplicate
    assert again.id == first.id


class Outbox(Mailer):
    """A mailer that keeps what it is to send."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, to: str, text: str) -> None:
        self.sent.append(f"{to}: {text}")


async def test_the_mail_is_sent(
    jobs: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a worker the whole way is tested; it opens resources when it starts."""
    outbox = Outbox()
    monkeypatch.setattr(host_application, "Mailer", lambda: outbox)

    async with Worker(jobs, tasks):
        job = await sign_up(jobs, "ada@example.org")
        assert await jobs.result(job, timeout=timedelta(seconds=10)) == "Ada"

    assert outbox.sent == ["ada@example.org: Welcome, Ada!"]
