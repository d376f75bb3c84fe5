"""Records what commands print, on the page about them: docs/command.md.

    uv run python -m tools.command_page

Each block of the kind `console` is a session: lines that begin with `$ jobcore` are
run, and what they print follows. Sections play on a store of their own, with the same
jobs; a mark names its kind. Ids differ at each run, so that those which one command has
printed are put in the place of those in the commands that follow.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from jobcore import (
    Cron,
    InMemoryJobStore,
    JobManager,
    JobRequest,
    Tasks,
    Worker,
    WorkerRecord,
    current_job,
    open_manager,
    register_store,
)
from jobcore.cli.command import run
from jobcore.trial import trial_url
from tests.jobcore_redis import servers as redis
from tests.jobcore_sql import postgresql

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "command.md"
MEMORY = "kept://"
"""A store in memory that stays while commands are run one after the other."""
_SECTION = re.compile(r"<!-- store: (\w+) -->\n(.*?)(?=<!-- store: |\Z)", re.DOTALL)
_SESSION = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.DOTALL)
_COMMAND = re.compile(r"^\$ (jobcore .*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_VOLATILE = (
    (_ID, "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( UTC|Z)"), "<instant>"),
    (re.compile(r"\d+(\.\d+)? (d|h|min|s)\b( \d+ (h|min|s)\b)?"), "<length>"),
    (re.compile(r"[\w-]+-\d+-[0-9a-f]{12}"), "<worker>"),
    (re.compile(r'File ".*", line \d+'), "<place>"),
    (re.compile(r"[ \t]+"), " "),
)

tasks = Tasks()


@tasks.task(queue="mail", max_retries=0)
async def send_email(to: str) -> str:
    if not to.endswith("@example.org"):
        problem = f"no such address: {to}"
        raise ValueError(problem)
    await current_job().log("connected to mail.example.org")
    await current_job().progress(1.0, "sent")
    return f"sent to {to}"


async def play(jobs: JobManager) -> None:
    """What has happened on a store before a section begins."""
    ended = [
        await jobs.submit(send_email.job(to)) for to in ("ada@example.org", "ada@home")
    ]
    async with Worker(jobs, tasks):
        while not all([(await jobs.get(job)).finished_at for job in ended]):  # noqa: ASYNC110 - the worker ends them
            await asyncio.sleep(0.01)
    report: JobRequest[None] = JobRequest("report", {"region": "Bavaria"})
    await jobs.submit(report, labels={"customer": "acme"})
    await jobs.submit(report, approval=True)
    await jobs.submit(report, delay=timedelta(hours=3))
    await jobs.schedule("nightly", report, Cron("0 3 * * *", "Europe/Berlin"))
    worker = WorkerRecord(
        id="mail-1", queues=("mail",), tasks=("send_email",), concurrency=10
    )
    await jobs.seen(worker)


def masked(text: str) -> str:
    """The same without what differs each time."""
    for pattern, name in _VOLATILE:
        text = pattern.sub(name, text)
    return "\n".join(line.strip() for line in text.splitlines())


def sections(page: str) -> dict[str, str]:
    """The sections by the kind of their store."""
    return {found[1]: found[2] for found in _SECTION.finditer(page)}


def replayed(section: str, url: str) -> str:
    """The section with what its commands print on the store of *url*."""
    ids: dict[str, str] = {}

    def replay(found: re.Match[str]) -> str:
        command = _ID.sub(lambda each: ids[each[0]], found[1])
        printed = _printed(command, url)
        ids.update(zip(_ID.findall(found[2]), _ID.findall(printed), strict=False))
        return f"$ {command}\n{printed}"

    return _SESSION.sub(lambda each: _COMMAND.sub(replay, each[0]), section)


def _printed(command: str, url: str) -> str:
    """What goes to both of the outputs, and an exit code that tells something."""
    told = io.StringIO()
    os.environ["JOBCORE_STORE_URL"] = url
    with redirect_stdout(told), redirect_stderr(told):
        code = run(shlex.split(command)[1:])
    if code:
        told.write(f"(exit code {code})\n")
    return told.getvalue().replace(f"{ROOT}/", "")


@contextmanager
def prepared(url: str) -> Iterator[str]:
    """A store at *url*, on which `play` was."""

    async def played(there: str) -> None:
        async with open_manager(there) as jobs:
            await play(jobs)

    if url == MEMORY:
        store = InMemoryJobStore()
        register_store(MEMORY.partition(":")[0], lambda _: store)
        asyncio.run(played(url))
        yield url
        return
    with asyncio.Runner() as runner:
        trial = trial_url(url)
        there = runner.run(trial.__aenter__())
        try:
            runner.run(played(there))
            yield there
        finally:
            runner.run(trial.__aexit__(None, None, None))


def place(kind: str, folder: Path) -> str:
    """Where a store of this *kind* is: on a server of the tests, or a file there."""
    match kind:
        case "sqlite":
            return f"sqlite+aiosqlite:///{folder}/jobs.db"
        case "postgresql":
            return postgresql.url("18")
        case "redis":
            return redis.url("6.2")
        case _:
            return MEMORY


def main() -> None:
    """Write the page anew."""
    page = PAGE.read_text()
    for kind, section in sections(page).items():
        with TemporaryDirectory() as folder, prepared(place(kind, Path(folder))) as url:
            page = page.replace(section, replayed(section, url))
    PAGE.write_text(page)


if __name__ == "__main__":
    try:
        main()
    finally:
        postgresql.stop()
        redis.stop()
