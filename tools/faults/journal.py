"""The journal: what handlers did, told without the store."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from jobcore import Claim


class Event(StrEnum):
    """What a line tells."""

    CLAIMED = "claimed"
    """The worker has got the job."""
    STARTED = "started"
    """The handler began."""
    ENDED = "ended"
    """The handler came to its end; nothing is reported yet."""
    ACCEPTED = "accepted"
    """A report was stored, which was sent at the moment of the line."""
    REFUSED = "refused"
    """A report was refused, as the claim was lost."""


@dataclass(frozen=True, slots=True)
class Line:
    """What happened in one attempt of a job; *at* is monotonic time of the machine. The
    *token* is that of the claim, where the one who writes the line knows it."""

    event: Event
    job_id: str
    attempt: int
    process: int
    at: float
    token: str = ""

    @classmethod
    def read(cls, text: str) -> Line:
        event, job_id, attempt, process, at, *token = text.split()
        numbers = int(attempt), int(process), float(at)
        return cls(Event(event), job_id, *numbers, *token)


class Journal:
    """A file to which any number of processes append, one write per line."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._descriptor = os.open(path, flags, 0o600)

    def write(self, event: Event, job_id: str, attempt: int) -> None:
        """It happens now."""
        self._write(event, job_id, attempt, time.monotonic())

    def write_of(self, event: Event, claim: Claim, at: float) -> None:
        """It happened to a claim at that moment."""
        job = claim.job
        self._write(event, job.id, job.attempt, at, claim.token)

    def _write(self, *told: Event | str | float) -> None:
        event, job_id, attempt, at, *token = told
        words = (event, job_id, attempt, os.getpid(), f"{at:.6f}", *token)
        os.write(self._descriptor, (" ".join(map(str, words)) + "\n").encode())

    def close(self) -> None:
        os.close(self._descriptor)


def lines(path: Path) -> Iterator[Line]:
    """What was written so far."""
    with path.open() as file:
        yield from map(Line.read, file)
