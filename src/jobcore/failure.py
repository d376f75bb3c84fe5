"""What is kept of an exception: always storable, never too long, without secrets."""

from __future__ import annotations

import re
import traceback

from jobcore.attempt import ErrorDetail
from jobcore.payload import clean

MAX_MESSAGE = 2 * 1024
MAX_TRACEBACK = 8 * 1024
"""Bytes of UTF-8; of what is longer, the middle is left out."""

_PASSWORD = re.compile(r"(://[^:/?#@\s]*:)[^@/\s]+@")


def describe(error: BaseException) -> bytes:
    """JSON text of the `ErrorDetail` of *error*, whatever it is."""
    detail = ErrorDetail(
        type=clean(type(error).__qualname__)[:255],
        message=shorten(_message(error), MAX_MESSAGE),
        traceback=shorten(_traceback(error), MAX_TRACEBACK),
    )
    return detail.model_dump_json().encode()


def describe_loss() -> bytes:
    """JSON text of the `ErrorDetail` of a claim whose lease ran out."""
    message = "the lease ran out: its worker died, froze, or lost the store"
    return ErrorDetail(type="LeaseExpired", message=message).model_dump_json().encode()


def shorten(text: str, limit: int) -> str:
    """At most *limit* bytes of *text*, its beginning and its end, without passwords
    of URLs."""
    half = limit // 2 - 16
    if len(text) > 4 * limit:
        text = f"{text[: 2 * limit]}{text[-2 * limit :]}"
    encoded = clean(_PASSWORD.sub(r"\1***@", text)).encode()
    if len(encoded) <= limit:
        return encoded.decode()
    head = encoded[:half].decode(errors="ignore")
    tail = encoded[-half:].decode(errors="ignore")
    return f"{head}\n[...]\n{tail}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - foreign code may raise anything
        return "<its message could not be made>"


def _traceback(error: BaseException) -> str:
    try:
        told = traceback.TracebackException.from_exception(error, compact=True)
        return "".join(told.format())
    except Exception:  # noqa: BLE001 - foreign code may raise anything
        return "<its traceback could not be made>"
