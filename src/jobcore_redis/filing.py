"""The attempts of a job, as lines of one text: number, end, and the rest."""

from __future__ import annotations

from base64 import b64decode, b64encode
from operator import attrgetter
from typing import Final

from jobcore import Attempt, Outcome
from jobcore_redis.problems import reading
from jobcore_redis.units import instant, since_epoch

_OUTCOMES: Final = {each.value.encode(): each for each in Outcome}


def filed(attempt: Attempt) -> str:
    """The line that is kept of *attempt*, but for when it ended."""
    error = "" if attempt.error is None else "+" + b64encode(attempt.error).decode()
    started = since_epoch(attempt.started_at)
    outcome = attempt.outcome or ""
    return f"{attempt.number}\t{attempt.worker}\t{started}\t{outcome}\t{error}"


@reading()
def attempts(lines: bytes | None) -> tuple[Attempt, ...]:
    """The attempts that are filed, by number."""
    found = [_attempt(line) for line in (lines or b"").splitlines()]
    return tuple(sorted(found, key=attrgetter("number")))


def _attempt(line: bytes) -> Attempt:
    number, ended, worker, started, outcome, error = line.split(b"\t")
    return Attempt(
        number=int(number),
        worker=worker.decode(),
        started_at=instant(started),
        ended_at=instant(ended),
        outcome=_OUTCOMES.get(outcome),
        error=b64decode(error[1:]) if error else None,
    )
