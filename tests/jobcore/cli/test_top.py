"""Watching a store."""

from __future__ import annotations

import asyncio
import os
import pty
import sys

import pytest

from jobcore import JobManager, WorkerRecord
from jobcore.cli.looks import Look, look
from tests.jobcore.cli.conftest import Command
from tests.jobcore.cli.filling import fill, within


async def fill_and_work(jobs: JobManager) -> None:
    await fill(jobs)
    await jobs.seen(WorkerRecord(id="w-1", queues=("mail",), concurrency=3))


def test_shows_queues_workers_and_failing_tasks(command: Command, any_url: str) -> None:
    within(any_url, fill_and_work)
    told = command("top", "--once", "--interval", "0.01s", "--store", any_url)
    assert (told.code, told.err) == (0, "")
    lines = told.lines
    assert lines[2:5] == [
        [
            *("QUEUE", "SCHEDULED", "QUEUED", "HELD", "IN_PROGRESS", "FAILED"),
            *("FINISHED/S", "OLDEST"),
        ],
        ["default", "1", "1", "1", "0", "0", "0.0", lines[3][-1]],
        ["mail", "0", "0", "0", "0", "1", "0.0", "-"],
    ]
    assert lines[3][-1].endswith(" s")
    assert lines[6] == ["WORKER", "QUEUES", "CONCURRENCY", "SEEN"]
    assert lines[7][:3] == ["w-1", "mail", "3"]
    assert lines[9] == ["TASK", "FAILED", "LATEST", "ERROR"]
    assert lines[10][:2] == ["send", "1"]
    assert lines[10][3] == "NoAddressError: nobody"


def test_the_rate_is_that_of_jobs_that_finished_between_two_looks(url: str) -> None:
    async def looks(jobs: JobManager) -> tuple[Look, Look]:
        earlier = await look(jobs)
        await fill(jobs)
        return earlier, await look(jobs)

    earlier, now = within(url, looks)
    _, (_, *mail) = now.queue_sheet(earlier).rows
    assert mail[5] == f"{2 / (now.time - earlier.time):.1f}"
    _, (_, *mail) = now.queue_sheet(None).rows
    assert mail[5] == ""


async def _screen(url: str, leader: int, follower: int) -> str:
    """What the command draws on a terminal until it is interrupted."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jobcore", "top", "--store", url),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(follower)
    drawn = b""
    try:
        while b"NoAddressError" not in drawn:
            drawn += await asyncio.to_thread(os.read, leader, 4096)
        process.terminate()
    finally:
        await process.wait()
    return drawn.decode()


@pytest.mark.anyio
async def test_draws_on_a_terminal(url: str) -> None:
    await asyncio.to_thread(within, url, fill)
    leader, follower = pty.openpty()
    try:
        drawn = await _screen(url, leader, follower)
    finally:
        os.close(leader)
    assert "\x1b[?1049h" in drawn, "on a screen of its own"
    assert "mail" in drawn


def test_an_interval_is_longer_than_nothing(command: Command) -> None:
    told = command("top", "--interval", "0s", "--store", "memory://")
    assert told.code == 2
    assert told.err == "jobcore: --interval must be longer than nothing\n"
