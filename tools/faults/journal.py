"""The journal: what handlers did, told without the store."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Event(StrEnum):
    """What a line tells."""

    STARTED = "started"
    """The handler began."""
    ENDED = "ended"
    """The handler came to its end; nothing is reported yet."""
    REFUSED = "refused"
    """A report was refused, as the claim was lost."""


@dataclass(frozen=True, slots=True)
class Line:
    """What happened in one attempt of a job; *at* is monotonic time of the machine."""

    event: Event
    job_id: str
    attempt: int
    process: int
    at: float

    @classmethod
    def read(cls, text: str) -> Line:
        event, job_id, attempt, process, at = text.split()
        return cls(Event(event), job_id, int(attempt), int(process), float(at))


class Journal:
    """A file to which any number of processes append, one write per line."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._descriptor = os.open(path, flags, 0o600)

    def write(self, event: Event, job_id: str, attempt: int) -> None:
        line = f"{event} {job_id} {attempt} {os.getpid()} {time.monotonic():.6f}\n"
        os.write(self._descriptor, line.encode())

    def close(self) -> None:
        os.close(self._descriptor)


def lines(path: Path) -> Iterator[Line]:
    """What was written so far."""
    with path.open() as file:
        yield from map(Line.read, file)
