"""How to test an application that uses jobs: on any store, without waiting.

    JOBCORE_STORE_URL=redis://localhost uv run pytest examples/test_host_application.py

By default it is memory://, which is the quickest. The others are those of production,
and what is there already is neither seen nor touched.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import host_application
import pytest
from host_application import Mailer, send_welcome, sign_up, tasks

from jobcore import Filter, JobManager, JobStatus, Worker, open_manager
from jobcore.testing import trial_url

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def jobs() -> AsyncIterator[JobManager]:
    """A new, empty store for each test, which is gone afterwards."""
    async with trial_url() as url, open_manager(url) as manager:
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
