"""Counting jobs, and listing workers."""

from __future__ import annotations

from jobcore import JobManager, WorkerRecord
from tests.jobcore.cli.conftest import Command
from tests.jobcore.cli.filling import fill, within


def test_counts_the_jobs_of_each_queue(command: Command, any_url: str) -> None:
    within(any_url, fill)
    told = command("stats", "--store", any_url)
    assert (told.code, told.err) == (0, "")
    heading, default, mail, total = told.lines
    assert heading == [
        *("QUEUE", "SCHEDULED", "QUEUED", "HELD", "IN_PROGRESS"),
        *("COMPLETED", "FAILED", "CANCELED", "OLDEST"),
    ]
    assert default[:8] == ["default", *"1110000"]
    assert default[8].endswith(" s")
    assert mail == ["mail", *"0000110", "-"]
    assert total == ["all", *"1110110", "-"]


def test_lists_the_workers_that_live(command: Command, any_url: str) -> None:
    async def work(jobs: JobManager) -> None:
        await jobs.seen(
            WorkerRecord(id="w-1", queues=("mail",), tasks=("send",), concurrency=3)
        )

    within(any_url, work)
    told = command("workers", "--store", any_url)
    assert (told.code, told.err) == (0, "")
    _, row = told.lines
    assert row[:4] == ["w-1", "mail", "send", "3"]
