"""What is handed to `submit`: a task's name, its arguments, and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any, Generic

from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypedDict, TypeVar, Unpack

from jobcore.job import JobStatus, Limit
from jobcore.value import value

R_co = TypeVar("R_co", default=Any, covariant=True)


class SubmitOptions(TypedDict, total=False):
    """How a job is to be kept and run. Those of `submit` go before those of the
    request, and those before the task's; labels add up."""

    queue: str
    priority: int
    run_at: datetime
    """When it is due, aware; the past means now. Goes before `delay`."""
    delay: timedelta
    """How long after the submit it is due, by the store's clock."""
    unique_key: str
    """While a job of the same task holds this key, `submit` returns that job."""
    unique_scope: frozenset[JobStatus]
    """In which statuses the key is held; by default until the job is finished. A key
    that is held by finished jobs is free again when those are pruned."""
    labels: Mapping[str, str]
    limit_key: str
    """Jobs with the same key share one limit; by default the task's."""
    limit: Limit
    approval: bool
    """Whether it is held until somebody approves it, whenever it is due."""
    timeout: timedelta | None
    """How long an attempt may take."""
    deadline: timedelta
    """How long after the submit the last attempt must have ended, whatever retries are
    left: then it is cancelled like one that took too long."""
    expires_in: timedelta
    """How long after it is due the job may still be started; later it is canceled by
    the worker that claims it."""
    correlation_id: str
    """What the job belongs to. By default that of the job whose handler submits it."""
    traceparent: str
    """The trace that it is submitted in, as W3C Trace Context has it; by default that
    of the job whose handler submits it."""
    max_retries: int


@value
class JobRequest(Generic[R_co]):
    """A job to be: made by a task's `job(...)`, or by name, where the task's code is
    elsewhere: `JobRequest("send_email", {"to": "ada@example.org"})`. The arguments are
    named, and plain JSON or a pydantic model."""

    task: str
    arguments: Mapping[str, Any] | BaseModel = field(default_factory=dict[str, Any])
    options: SubmitOptions = field(default_factory=SubmitOptions)
    result_type: TypeAdapter[R_co] | None = None

    def with_options(self, **options: Unpack[SubmitOptions]) -> JobRequest[R_co]:
        """The same request with *options* before those that it has."""
        return replace(self, options=merged(self.options, options))


def merged(first: SubmitOptions, then: SubmitOptions) -> SubmitOptions:
    """*then* before *first*, label by label."""
    if not then:
        return first
    both = SubmitOptions(**{**first, **then})
    given = [each["labels"] for each in (first, then) if "labels" in each]
    if given and all(isinstance(labels, Mapping) for labels in given):
        both["labels"] = {name: text for each in given for name, text in each.items()}
    return both
