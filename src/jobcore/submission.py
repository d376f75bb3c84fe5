"""From a request to a new job, checked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, SchemaSerializer

from jobcore import checks
from jobcore.config import JobcoreConfig
from jobcore.errors import InvalidJobError
from jobcore.job import UNFINISHED, NewJob
from jobcore.payload import NUMBERS_AS_THEY_ARE, encode
from jobcore.request import JobRequest, SubmitOptions, merged

T = TypeVar("T")


def new_job(
    request: JobRequest[object], options: SubmitOptions, config: JobcoreConfig
) -> NewJob:
    """What is to be stored for *request*; InvalidJobError where it cannot be."""
    chosen = merged(request.options, options)
    unknown = chosen.keys() - SubmitOptions.__annotations__.keys()
    if unknown:
        raise InvalidJobError("options", f"has no {', '.join(sorted(unknown))}")
    limit_key = chosen.get("limit_key")
    if chosen.get("limit") is not None and limit_key is None:
        limit_key = f"task:{request.task}"
    return NewJob(
        task=checks.check_name("task", request.task),
        queue=checks.check_name("queue", chosen.get("queue", config.default_queue)),
        priority=checks.check_integer(
            "priority", chosen.get("priority", 0), -(2**15), 2**15 - 1
        ),
        payload=_payload(request, config.max_payload_size),
        labels=checks.check_labels(chosen.get("labels", {})),
        unique_key=_given(checks.check_key, "unique_key", chosen.get("unique_key")),
        unique_scope=checks.check_scope(chosen.get("unique_scope", UNFINISHED)),
        limit_key=_given(checks.check_key, "limit_key", limit_key),
        limit=_given(checks.check_limit, "limit", chosen.get("limit")),
        max_retries=checks.check_integer(
            "max_retries",
            chosen.get("max_retries", config.default_max_retries),
            0,
            checks.MAX_RETRIES,
        ),
        timeout=_given(checks.check_length, "timeout", chosen.get("timeout")),
        due_at=_given(checks.check_instant, "run_at", chosen.get("run_at")),
        delay=_given(checks.check_delay, "delay", chosen.get("delay")),
    )


def _given(
    check: Callable[[str, object], T], field: str, value: object | None
) -> T | None:
    return None if value is None else check(field, value)


@cache
def _writer(model: type[BaseModel]) -> SchemaSerializer:
    return SchemaSerializer(model.__pydantic_core_schema__, NUMBERS_AS_THEY_ARE)


def _payload(request: JobRequest[object], limit: int) -> bytes:
    arguments = request.arguments
    if isinstance(arguments, BaseModel):
        try:
            arguments = _writer(type(arguments)).to_python(arguments, mode="json")
        except (ValueError, PydanticSerializationError) as error:
            raise InvalidJobError("arguments", f"do not fit: {error}") from None
    if type(arguments) is not dict:
        raise InvalidJobError("arguments", "must be a dict or a pydantic model")
    return encode("arguments", arguments, limit)
