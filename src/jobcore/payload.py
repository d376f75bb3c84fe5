"""JSON text and back: strict about what people submit, forgiving about what ran.

What is submitted must come back as it was, on every store, so whatever JSON could
change or another store could refuse is refused here. What a handler returns is stored
in any case: its job has run, and running it again would not make the value better.
"""

from __future__ import annotations

import math
from collections.abc import Coroutine, Generator, Iterator
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import (
    CoreConfig,
    SchemaSerializer,
    from_json,
    to_json,
    to_jsonable_python,
)

from jobcore.errors import InvalidJobError, TooLargeError

MAX_DEPTH = 64
NUMBERS_AS_THEY_ARE = CoreConfig(ser_json_inf_nan="constants")  # and so to be refused
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1
_MAX_PROBLEM = 1024
_OWN_TYPES = {"int": int, "bool": bool, "float": float, "str": str}


def encode(field: str, value: object, limit: int) -> bytes:
    """*value* as JSON text of at most *limit* bytes; InvalidJobError for all that
    would not come back equal: other types than JSON's own, keys that are no strings,
    numbers that are not finite or beyond 64 bits, NUL, lone surrogates, more than 64
    levels."""
    _check(field, value)
    text = to_json(value)
    if len(text) > limit:
        raise TooLargeError(field, len(text), limit)
    return text


def encode_result(
    value: object, result_type: TypeAdapter[Any] | None, limit: int
) -> tuple[bytes, str | None]:
    """*value* as JSON text, whatever it is, and what had to be changed about it. Where
    it is not storable, its nearest likeness is stored; where it is larger than *limit*
    bytes, null."""
    try:
        return encode("result", _plain(value, result_type), limit), None
    except TooLargeError as error:
        return b"null", str(error)
    except Exception as error:  # noqa: BLE001 - a result must not stop its job's report
        problem = str(error) if isinstance(error, InvalidJobError) else safe_repr(error)
    text = to_json(_likeness(value))
    if len(text) > limit:
        return b"null", str(TooLargeError("result", len(text), limit))
    return text, clean(problem)[:_MAX_PROBLEM]


def written(field: str, serializer: SchemaSerializer, value: object) -> Any:
    """What *serializer* makes of *value*, as plain JSON values; InvalidJobError where
    it writes null for a number that is not finite, as models within it do."""
    text = serializer.to_json(value, warnings="error")
    if b"null" in text:
        unchanged = serializer.to_python(value, mode="json", warnings="error")
        _check(field, from_json(to_json(unchanged, inf_nan_mode="constants")))
    return from_json(text)


def clean(text: str) -> str:
    """*text* without what some store could not keep: NUL and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def safe_repr(value: object) -> str:
    """`repr`, or the type's name where that fails."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - foreign code may raise anything
        return f"<{type(value).__qualname__}>"


def _check(field: str, value: Any, depth: int = 1) -> None:
    kind = type(value)
    if kind is not dict and kind is not list:
        if problem := _problem(value):
            raise InvalidJobError(field, problem)
        return
    if depth > MAX_DEPTH:
        raise InvalidJobError(field, f"is deeper than {MAX_DEPTH} levels")
    if kind is dict:
        for key in value:
            if type(key) is not str or _text_problem(key):
                raise InvalidJobError(field, f"has a key that {_key_problem(key)}")
        value = value.values()
    for item in value:
        _check(field, item, depth + 1)


def _key_problem(key: object) -> str | None:
    if type(key) is not str:
        return f"is no string: {safe_repr(key):.80}"
    return _text_problem(key)


def _problem(value: Any) -> str | None:
    kind = type(value)
    if kind is str:
        return _text_problem(value)
    if kind is int:
        fits = _MIN_INTEGER <= value <= _MAX_INTEGER
        return None if fits else "has a number beyond 64 bits"
    if kind is float:
        return None if math.isfinite(value) else "has a number that is not finite"
    if value is None or kind is bool:
        return None
    return f"has a value of type {kind.__qualname__}, which JSON lacks"


def _text_problem(text: str) -> str | None:
    if "\0" in text:
        return "has a NUL character"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "has a lone surrogate"
    return None


def _plain(value: object, result_type: TypeAdapter[Any] | None) -> object:
    if type(value) is _own_type(result_type):
        return value
    if isinstance(value, Iterator):  # it may have no end
        raise InvalidJobError("result", "is an iterator, which has not run yet")
    if result_type is None:
        return value
    return written("result", _serializer(result_type), value)


@lru_cache(maxsize=1024)
def _own_type(kind: TypeAdapter[Any] | None) -> type | None:
    """The type whose values *kind* writes as they are, if there is just one."""
    if kind is None:
        return type(None)
    schema = kind.core_schema
    return None if "serialization" in schema else _OWN_TYPES.get(schema["type"])


@lru_cache(maxsize=1024)
def _serializer(kind: TypeAdapter[Any]) -> SchemaSerializer:
    return SchemaSerializer(kind.core_schema, NUMBERS_AS_THEY_ARE)


def _likeness(value: object) -> object:
    try:
        if isinstance(value, Coroutine | Generator):
            value.close()
        if isinstance(value, Iterator):
            return clean(safe_repr(value))[:1024]
        plain = to_jsonable_python(value, fallback=safe_repr, bytes_mode="base64")
        return _mended(plain, 1)
    except Exception:  # noqa: BLE001 - foreign code may raise anything
        return clean(safe_repr(value))[:1024]


def _mended(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        pairs = value.items()
        return {clean(str(key)): _mended(item, depth + 1) for key, item in pairs}
    if isinstance(value, list):
        return [_mended(item, depth + 1) for item in value]
    if isinstance(value, str):
        return clean(value)
    return None if _problem(value) else value
