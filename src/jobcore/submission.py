"""From a request to a new job, checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, SchemaSerializer

from jobcore import checks
from jobcore.config import JobcoreConfig
from jobcore.context import inherited
from jobcore.details import Details
from jobcore.errors import InvalidJobError
from jobcore.job import UNFINISHED, JobStatus, NewJob
from jobcore.lifecycle import APPROVAL
from jobcore.payload import NUMBERS_AS_THEY_ARE, encode
from jobcore.request import JobRequest, SubmitOptions, merged

Check = Callable[[str, object], Any]

_TRACE: Final = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def _traceparent(field: str, value: object) -> str:
    if not isinstance(value, str) or not _TRACE.fullmatch(value):
        raise InvalidJobError(field, "must be as W3C Trace Context has it")
    return value


def _approval(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidJobError(field, "must be True or False")
    return value


def _max_retries(field: str, value: object) -> int:
    return checks.check_integer(field, value, 0, checks.MAX_RETRIES)


_CHECKS: Final[Mapping[str, Check]] = {
    "queue": checks.check_name,
    "priority": checks.check_priority,
    "run_at": checks.check_instant,
    "delay": checks.check_delay,
    "unique_key": checks.check_key,
    "unique_scope": checks.check_scope,
    "labels": checks.check_labels,
    "limit_key": checks.check_key,
    "limit": checks.check_limit,
    "timeout": checks.check_length,
    "approval": _approval,
    "max_retries": _max_retries,
    "deadline": checks.check_length,
    "expires_in": checks.check_length,
    "correlation_id": checks.check_key,
    "traceparent": _traceparent,
}
_DETAILS: Final = ("deadline", "expires_in", "correlation_id", "traceparent")
_ABSENT: Final = {"run_at", "delay", "unique_key", "limit_key", "limit", "timeout"}
"""The options for which None stands when they are not given."""
_USUAL: Final = {"queue", "priority", "timeout", "max_retries"}
"""The options that most jobs of a task have in common."""


def new_jobs(
    requests: Iterable[JobRequest[Any]], options: SubmitOptions, config: JobcoreConfig
) -> list[NewJob]:
    """What is to be stored for *requests*, none of which is kept; InvalidJobError where
    one cannot be."""
    new: list[NewJob] = []
    checked: dict[tuple[str, int], tuple[SubmitOptions, dict[str, Any]]] = {}
    for request in requests:
        # Those of a task share its very options, which need not be checked again. When
        # these are gone, others may have their id.
        key = (request.task, id(request.options))
        known = checked.get(key)
        if known is None or known[0] != request.options:
            fields = _fields(request, options, config)
            known = checked[key] = request.options.copy(), fields
        payload = _payload(request, config.max_payload_size)
        new.append(NewJob(payload=payload, **known[1]))
    return new


def _fields(
    request: JobRequest[Any], options: SubmitOptions, config: JobcoreConfig
) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "queue": config.default_queue,
        "max_retries": config.default_max_retries,
        **inherited(),
        **merged(request.options, options),
    }
    if chosen.keys() <= _USUAL:
        with suppress(Exception):  # of what has no hash, or is refused again below
            return _usual_fields(request.task, **chosen)
    return _judged(request.task, chosen)


@lru_cache(maxsize=1024, typed=True)
def _usual_fields(task: str, **chosen: Any) -> dict[str, Any]:
    return _judged(task, chosen)


def _judged(task: str, chosen: dict[str, Any]) -> dict[str, Any]:
    checks.check_name("task", task)
    if chosen.get("limit") is not None and chosen.get("limit_key") is None:
        chosen["limit_key"] = f"task:{task}"
    fields = {name: _checked(name, given) for name, given in chosen.items()}
    if "run_at" in fields:
        fields["due_at"] = fields.pop("run_at")
    if fields.pop("approval", False):
        fields["held_by"] = APPROVAL
        if JobStatus.HELD not in fields.get("unique_scope", UNFINISHED):
            raise InvalidJobError(
                "unique_scope", "must have held in it, as it begins so"
            )
    carried = {name: fields.pop(name) for name in _DETAILS if name in fields}
    if carried:
        fields["extra"] = Details(**carried).written()
    fields["task"] = task
    return fields


def _checked(name: str, given: object) -> Any:
    if given is None and name in _ABSENT:
        return None
    check = _CHECKS.get(name)
    if check is None:
        raise InvalidJobError("options", f"has no {name}")
    return check(name, given)


@cache
def _writer(model: type[BaseModel]) -> SchemaSerializer:
    return SchemaSerializer(model.__pydantic_core_schema__, NUMBERS_AS_THEY_ARE)


def _payload(request: JobRequest[object], limit: int) -> bytes:
    arguments = request.arguments
    if type(arguments) is not dict and isinstance(arguments, BaseModel):
        try:
            arguments = _writer(type(arguments)).to_python(arguments, mode="json")
        except (ValueError, PydanticSerializationError) as error:
            raise InvalidJobError("arguments", f"do not fit: {error}") from None
    if type(arguments) is not dict:
        raise InvalidJobError("arguments", "must be a dict or a pydantic model")
    return encode("arguments", arguments, limit)
