"""What a job carries that no store looks into: the JSON in its field `extra`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, ValidationError

MAX_SIZE: Final = 128 * 1024
"""How many bytes it may have."""
MAX_LINES: Final = 100
"""How many lines a job's log keeps: the latest."""
MAX_LINE: Final = 500
"""How many characters of a line are kept."""
MAX_ACTS: Final = 20
"""How many acts of operators a job keeps: the latest."""


class Progress(BaseModel):
    """How far a running job says it is: a *fraction* from 0 to 1, and a *message*."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    fraction: float | None = None
    message: str = ""


class LogLine(BaseModel):
    """What an attempt told, by its number."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    attempt: int
    text: str


class OperatorAct(BaseModel):
    """What an operator did to a job, after how many of its attempts."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    verb: str
    actor: str
    attempt: int


class Details(BaseModel):
    """All of it. What a newer release has in there is kept as it is."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="allow")

    deadline: timedelta | None = None
    """How long after its submit the last attempt must have ended."""
    expires_in: timedelta | None = None
    """How long after it was due the job may be started first."""
    correlation_id: str | None = None
    """What it belongs to, as its submitter calls that."""
    traceparent: str | None = None
    """The trace that its submitter was in (W3C Trace Context)."""
    progress: Progress | None = None
    checkpoint: Any = None
    """What an attempt left for the next."""
    once: dict[str, Any] = {}
    """The results of what is done once, by its key."""
    log: tuple[LogLine, ...] = ()
    """The latest lines that attempts told."""
    acts: tuple[OperatorAct, ...] = ()
    """What operators did who said who they are, the latest last."""

    @classmethod
    def read(cls, text: bytes | None) -> Details:
        """What *text* tells: nothing if there is none, or it is not ours."""
        if text is None:
            return NOTHING
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return NOTHING

    def written(self) -> bytes | None:
        """The text that a store keeps, None where there is nothing to tell."""
        text = self.model_dump_json(exclude_defaults=True).encode()
        return None if text == b"{}" else text

    def changed(self, **fields: Any) -> Details:
        """The same but for these *fields*."""
        return self.model_copy(update=fields)

    def logged(self, attempt: int, text: str) -> Details:
        """The same with a line more, and no more than may be."""
        line = LogLine(attempt=attempt, text=text[:MAX_LINE])
        return self.changed(log=(*self.log, line)[-MAX_LINES:])

    def acted(self, act: OperatorAct) -> Details:
        """The same after one more *act*."""
        return self.changed(acts=(*self.acts, act)[-MAX_ACTS:])

    def anew(self) -> Details:
        """What is left when an operator starts the job anew: what attempts left is
        forgotten, and so are limits of time, which count from the submit."""
        kept = {"correlation_id", "traceparent", "acts", *(self.model_extra or ())}
        return Details(**self.model_dump(include=kept))


NOTHING: Final = Details()
