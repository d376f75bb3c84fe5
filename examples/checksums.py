"""SHA-256 checksums of all files below a directory: one job per file, crash-proof.

    uv run examples/checksums.py DIR
        [--store URL] [--output FILE] [--workers N] [--json]

Kill it at any moment and start it again: it goes on where it was. A file that changed
in between is read again, all others are not. FILE is for `sha256sum --check`, run where
this was started. The exit code is 1 if something could not be read.

The store is the URL, else what JOBCORE_STORE_URL names, else an SQLite file here. With
memory:// all is the same, but that a run knows nothing of those before.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from jobcore import (
    TERMINAL,
    UNFINISHED,
    Filter,
    Job,
    JobcoreConfig,
    JobcoreError,
    JobManager,
    JobStatus,
    Tasks,
    Worker,
    exponential,
    open_manager,
)

BATCH = 1000
EVER = frozenset(JobStatus)

tasks = Tasks()


class Settings(JobcoreConfig):
    """Other defaults. `JOBCORE_…` and jobcore.toml go before them, as always."""

    store_url: str = "sqlite+aiosqlite:///checksums.db"

    # What a killed process held is free again after 5 to 6 seconds, and is tried again
    # however often that happens.
    job_claim_timeout: timedelta = timedelta(seconds=5)
    stale_job_claim_check_interval: timedelta = timedelta(seconds=1)
    max_lost: int = 1000
    retry_delay_base: timedelta = timedelta(seconds=0.2)
    retry_delay_cap: timedelta = timedelta(seconds=2)
    job_polling_interval: timedelta = timedelta(seconds=0.2)

    # The jobs are the memory of what has been done: none is pruned.
    retention_completed: timedelta | None = None
    retention_failed: timedelta | None = None
    retention_canceled: timedelta | None = None


@tasks.task(max_retries=2, retry=exponential(timedelta(seconds=0.2)))
def checksum(file: str) -> str:
    """Not async, so it runs in a thread, where reading blocks nobody."""
    path = decoded(file)
    if not path.is_file():
        path.stat()  # says what is wrong with it, unless it is a pipe or the like
        raise NotAFileError
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


class NotAFileError(Exception):
    def __str__(self) -> str:
        return "is not a regular file"


@dataclass
class Tree:
    """The files below *top*, as paths relative to it."""

    top: Path
    files: list[Path] = field(default_factory=list[Path])
    problems: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.root = self.top.resolve()
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()
        self.queue = f"checksums-{digest[:32]}"
        """A queue of its own, so that trees can share a store."""

    def unique_key(self, file: Path) -> str:
        """The same for the same file until it changes; of a length that fits."""
        try:
            status = (self.root / file).stat()
            version = [status.st_size, status.st_mtime_ns, status.st_mode]
        except OSError as error:
            version = [error.errno or 0]
        parts = [self.queue, encoded(file), version]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass
class Summary:
    """What `--json` prints. The rate is of the jobs that ended in this run."""

    files: int
    completed: int
    failed: int
    attempts: int
    seconds: float
    jobs_per_second: float


def encoded(path: Path) -> str:
    """The path as text: names are bytes, and need not be valid in any encoding."""
    return quote_from_bytes(os.fsencode(path))


def decoded(text: str) -> Path:
    return Path(os.fsdecode(unquote_to_bytes(text)))


def walk(top: Path, own: set[Path]) -> Tree:
    """Find all that is no directory, besides our *own* files. A link to a file is a
    file; links to directories are not followed."""
    tree = Tree(top)

    def note(error: OSError) -> None:
        tree.problems.append(f"{printable(Path(error.filename))}: {error.strerror}")

    for folder, _, names in os.walk(tree.root, onerror=note):
        paths = (Path(folder, name) for name in names)
        tree.files += [path.relative_to(tree.root) for path in paths if path not in own]
    tree.files.sort()
    return tree


def own_files(store: str, output: Path) -> set[Path]:
    """What this program writes, and so does not read."""
    own = [output, temporary(output)]
    if store.startswith("sqlite"):
        database = store.partition(":///")[2].partition("?")[0]
        own += [Path(database + end) for end in ("", "-wal", "-shm", "-journal")]
    return {path.resolve() for path in own}


async def submit(jobs: JobManager, tree: Tree) -> AsyncIterator[list[Job]]:
    """The job of each file, be it new or from an earlier run, in batches."""
    for start in range(0, len(tree.files), BATCH):
        requests = [
            checksum.job(encoded(tree.root / file)).with_options(
                unique_key=tree.unique_key(file)
            )
            for file in tree.files[start : start + BATCH]
        ]
        yield await jobs.submit_many(requests, queue=tree.queue, unique_scope=EVER)


async def work_off(jobs: JobManager, tree: Tree) -> set[str]:
    """Submit all and wait until none is unfinished, below a bar on stderr. Returns the
    ids of the jobs."""
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    submitted: set[str] = set()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("checksums", total=len(tree.files))
        async for batch in submit(jobs, tree):
            submitted |= {job.id for job in batch}
            left = await count(jobs, tree, UNFINISHED)
            progress.update(bar, completed=max(0, len(submitted) - left))
        while left := await count(jobs, tree, UNFINISHED):
            progress.update(bar, completed=max(0, len(submitted) - left))
            await asyncio.sleep(0.1)
        progress.update(bar, completed=len(submitted))
    return submitted


async def count(jobs: JobManager, tree: Tree, statuses: frozenset[JobStatus]) -> int:
    statistics = await jobs.statistics()
    return sum(statistics.count(status, tree.queue) for status in statuses)


async def jobs_in(jobs: JobManager, queue: str) -> AsyncIterator[Job]:
    cursor: str | None = None
    while True:
        page = await jobs.find(Filter(queue=queue), cursor=cursor, limit=BATCH)
        for job in page.jobs:
            yield job
        if (cursor := page.cursor) is None:
            return


async def run(url: str | None, tree: Tree, workers: int) -> tuple[list[Job], int]:
    """Make all checksums. The job of each file, and how many ended in this run."""
    async with open_manager(url, Settings()) as jobs:
        before = await count(jobs, tree, TERMINAL)
        async with AsyncExitStack() as stack:
            for _ in range(workers):
                worker = Worker(jobs, tasks, queues=[tree.queue])
                await stack.enter_async_context(worker)
            submitted = await work_off(jobs, tree)
        # Other jobs in the queue are of files that have changed since, or are gone.
        ended = [job async for job in jobs_in(jobs, tree.queue) if job.id in submitted]
        return ended, await count(jobs, tree, TERMINAL) - before


def why(job: Job) -> str:
    failure = job.failure
    return f"{failure.type}: {failure.message}" if failure else str(job.status)


def printable(path: Path) -> str:
    return repr(str(path))[1:-1]


def line(digest: str, path: Path) -> bytes:
    """A line as sha256sum writes it, which escapes what would break a line."""
    name = os.fsencode(path)
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"" if escaped == name else b"\\"
    return mark + digest.encode() + b"  " + escaped + b"\n"


def temporary(output: Path) -> Path:
    return output.with_name(f"{output.name}.tmp")


def write(output: Path, checksums: dict[Path, str]) -> None:
    """Replace *output* in one step: it is the old one or the new one, whole."""
    with temporary(output).open("wb") as file:
        file.writelines(line(checksums[path], path) for path in sorted(checksums))
        file.flush()
        os.fsync(file.fileno())
    temporary(output).replace(output)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="SHA-256 checksums of all files in DIR"
    )
    parser.add_argument("directory", metavar="DIR", type=Path)
    parser.add_argument(
        "--store", metavar="URL", help="else JOBCORE_STORE_URL, else an SQLite file"
    )
    parser.add_argument("--output", metavar="FILE", type=Path, default="SHA256SUMS")
    parser.add_argument("--workers", metavar="N", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print numbers at the end")
    given = parser.parse_args()
    if not given.directory.is_dir():
        parser.error(f"{given.directory} is not a directory")
    if given.workers < 1:
        parser.error("at least one worker is needed")
    return given


def main() -> int:
    # Failures are listed at the end; between them and the bar, warnings only confuse.
    logging.getLogger("jobcore").setLevel(logging.ERROR)
    given = arguments()
    began_at = time.monotonic()
    store = given.store or Settings().store_url
    tree = walk(given.directory, own_files(store, given.output))
    ended, now = asyncio.run(run(given.store, tree, given.workers))
    checksums: dict[Path, str] = {}
    problems = list(tree.problems)
    for job in ended:
        path = given.directory / decoded(job.arguments["file"]).relative_to(tree.root)
        if job.status is JobStatus.COMPLETED:
            checksums[path] = str(job.value)
        else:
            problems.append(f"{printable(path)}: {why(job)}")
    write(given.output, checksums)
    for problem in sorted(problems):
        print(problem, file=sys.stderr)
    seconds = time.monotonic() - began_at
    summary = Summary(
        files=len(tree.files),
        completed=len(checksums),
        failed=len(ended) - len(checksums),
        # What was claimed and given back unstarted is no attempt.
        attempts=len(checksums) + sum(job.failures + job.losses for job in ended),
        seconds=round(seconds, 3),
        jobs_per_second=round(now / seconds, 1),
    )
    if given.json:
        print(json.dumps(asdict(summary)))
    else:
        print(f"{summary.completed} of {summary.files} files: {given.output}")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; start it again to go on")
    except JobcoreError as error:
        sys.exit(f"{type(error).__name__}: {error}")
