"""Bulk writes to the same jobs from many processes, in opposite orders.

    python -m tools.faults.bulk URL ROUNDS forwards|backwards

is one of the processes. It says when it is ready and, once it is told to begin, on its
standard input, submits, cancels, retries, completes and deletes batches of jobs of the
same unique keys, and prints what became of its calls.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final, cast

from pydantic_core import from_json, to_json

from jobcore import (
    DefaultJobManager,
    Filter,
    Job,
    JobConflictError,
    JobNotFoundError,
    JobRequest,
    Outcome,
    Report,
)
from jobcore_sql import SQLJobStore
from tools.faults.calls import CallReport
from tools.faults.fleet import ROOT
from tools.faults.postgres import PostgresWay
from tools.faults.scene import found_by, unsound

PROCESSES: Final = 8
_KEYS: Final = 50
_DEADLOCK: Final = "deadlock detected"
_QUICKER: Final = (JobConflictError, JobNotFoundError)
"""What a caller is told where another was quicker; a lost claim is the first."""


class Writer:
    """Goes through batches of jobs, as they come or *backwards*."""

    def __init__(self, jobs: DefaultJobManager, *, backwards: bool) -> None:
        self.report: CallReport = CallReport()
        self._jobs = jobs
        self._queue = ""
        self._step = -1 if backwards else 1

    async def run(self, rounds: int) -> None:
        for number in range(rounds):
            self._queue = f"bulk-{number}"
            await self._all([self._submit()])
            await self._all(map(self._jobs.cancel, (await self._found())[::2]))
            await self._all(map(self._jobs.retry, await self._found()))
            await self._complete()
            await self._all(map(self._jobs.delete, await self._found()))

    async def _submit(self) -> None:
        requests = [
            JobRequest(
                "bulk",
                options={"queue": self._queue, "unique_key": f"{self._queue} {key}"},
            )
            for key in range(_KEYS)
        ]
        await self._jobs.submit_many(requests[:: self._step])

    async def _complete(self) -> None:
        found = await self._jobs.claim("bulk", [self._queue], _KEYS)
        reports = [Report(each, Outcome.SUCCEEDED) for each in found.claims]
        for answer in await self._jobs.report(reports[:: self._step]):
            self._count(answer)

    async def _found(self) -> Sequence[Job]:
        found = [job async for job in found_by(self._jobs, Filter(queue=self._queue))]
        return found[:: self._step]

    async def _all(self, calls: Iterable[Awaitable[Any]]) -> None:
        """All at once, which a manager makes batches of."""
        for answer in await asyncio.gather(*calls, return_exceptions=True):
            self._count(answer)

    def _count(self, answer: object) -> None:
        self.report.calls += 1
        if isinstance(answer, _QUICKER):
            self.report.undone += 1
        elif isinstance(answer, Exception):
            self.report.refused.append(repr(answer))
        else:
            self.report.done += 1


async def write_in_bulk(way: PostgresWay, rounds: int) -> CallReport:
    """Let processes do so on a server of our own."""
    whole = CallReport()
    async with SQLJobStore(way.url) as store:
        ways = ["forwards", "backwards"] * (PROCESSES // 2)
        processes = [await _start(way.url, str(rounds), each) for each in ways]
        for each in processes:
            await cast(asyncio.StreamReader, each.stdout).readline()
        told = await asyncio.gather(*(each.communicate(b"\n") for each in processes))
        for output, _ in told:
            one = CallReport(**from_json(output))
            whole.calls += one.calls
            whole.done += one.done
            whole.undone += one.undone
            whole.refused += one.refused
        whole.left += await unsound(store)
    whole.left += await way.open_transactions()
    whole.deadlocks = way.server.log().count(_DEADLOCK)
    return whole


async def _start(*arguments: str) -> Process:
    command = [sys.executable, "-m", "tools.faults.bulk", *arguments]
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=PIPE, stdout=PIPE
    )


async def main(url: str, rounds: int, way: str) -> None:
    async with SQLJobStore(url) as store, DefaultJobManager(store) as jobs:
        writer = Writer(jobs, backwards=way == "backwards")
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await writer.run(rounds)
    print(to_json(asdict(writer.report)).decode())


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
