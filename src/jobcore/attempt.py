"""Attempts: the executions of a job, how each ended, and what is kept of an error."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from jobcore.value import named_value


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"
    RELEASED = "released"
    LOST = "lost"


class ErrorDetail(BaseModel):
    """What is kept of an exception: always storable, never longer than it may be."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    type: str
    message: str
    traceback: str = ""

    def __str__(self) -> str:
        return f"{self.type}: {self.message}"


@named_value
class Attempt:
    """One execution of a job. Numbers rise and may have gaps; a running one has no
    end and no outcome. `error` is JSON text of an `ErrorDetail`."""

    number: int
    worker: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    error: bytes | None = None

    @property
    def failure(self) -> ErrorDetail | None:
        """The decoded error."""
        return decode_error(self.error)


def decode_error(error: bytes | None) -> ErrorDetail | None:
    """The detail that *error* is the JSON text of."""
    return None if error is None else ErrorDetail.model_validate_json(error)
