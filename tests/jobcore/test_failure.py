"""What is kept of an exception is storable, not too long, and without passwords."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobcore import ErrorDetail
from jobcore.failure import (
    MAX_MESSAGE,
    MAX_TRACEBACK,
    describe,
    describe_loss,
    shorten,
)
from jobcore.payload import clean


class MuteError(Exception):
    def __str__(self) -> NoReturn:
        raise RuntimeError("no")

    __repr__ = __str__


class NotesError(Exception):
    def __getattribute__(self, name: str) -> Any:
        if name == "__notes__":
            raise RuntimeError("no")
        return super().__getattribute__(name)


def cyclic() -> Exception:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    return first


def raised(error: BaseException) -> BaseException:
    def fail() -> NoReturn:
        raise error

    try:
        fail()
    except BaseException as caught:  # noqa: BLE001 - any kind is described
        return caught


def detail(error: BaseException) -> ErrorDetail:
    return ErrorDetail.model_validate_json(describe(error))


ERRORS: dict[str, BaseException] = {
    "NUL, a surrogate and 10 MB": Exception("\x00\ud800" + "x" * 10**7),
    "a message that cannot be made": MuteError(),
    "a cycle of causes": cyclic(),
    "a group of 10,000": ExceptionGroup(
        "many", [ValueError(str(n)) for n in range(10**4)]
    ),
    "notes that cannot be read": NotesError(),
    "a syntax error of odd parts": SyntaxError("x", ("file", 1, 1, 5)),  # type: ignore[arg-type]
    "the end of an iteration": StopIteration(5),
    "escapes and tags": ValueError("\x1b[31m\r\n<script>"),
    "no exception but a base one": SystemExit(3),
}


@pytest.mark.parametrize("name", ERRORS)
def test_any_exception_can_be_described(name: str) -> None:
    error = raised(ERRORS[name])
    told = detail(error)
    assert told.type == type(error).__qualname__
    for text, limit in (
        (told.message, MAX_MESSAGE),
        (told.traceback, MAX_TRACEBACK),
    ):
        assert len(text.encode()) <= limit
        assert text == clean(text)
    assert told.traceback


def test_a_description_has_type_message_and_traceback() -> None:
    told = detail(raised(ValueError("no")))
    assert (told.type, told.message) == ("ValueError", "no")
    assert told.traceback.startswith("Traceback")
    assert "in raised" in told.traceback


def test_what_could_not_be_kept_is_replaced() -> None:
    assert detail(Exception("a\x00\ud800b")).message == "a\ufffd?b"


def test_a_message_that_cannot_be_made_says_so() -> None:
    assert detail(MuteError()).message == "<its message could not be made>"


def test_a_type_of_a_long_odd_name_is_cut() -> None:
    kind: Any = type("Error", (Exception,), {"__qualname__": "E\0" * 400})
    assert detail(kind("no")).type == "E\ufffd" * 127 + "E"


def test_of_a_long_message_beginning_and_end_are_kept() -> None:
    message = detail(ValueError(f"begin{'x' * 10**7}end")).message
    assert message.startswith("begin")
    assert message.endswith("end")
    assert "\n[...]\n" in message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ada:secret@db/x", "postgresql://ada:***@db/x"),
        ("redis://:secret@h:6379/0", "redis://:***@h:6379/0"),
        ("a://u:one@h and b://v:two@i", "a://u:***@h and b://v:***@i"),
        ("http://host:80/a@b", "http://host:80/a@b"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_passwords_of_urls_are_left_out(text: str, shown: str) -> None:
    told = detail(raised(OSError(text)))
    assert told.message == shown
    assert "secret" not in told.traceback


def test_a_loss_is_described_without_an_exception() -> None:
    told = ErrorDetail.model_validate_json(describe_loss())
    assert told.type == "LeaseExpired"
    assert "lease ran out" in told.message


@given(st.text(st.characters(), max_size=600), st.integers(64, 256))
def test_a_short_text_has_at_most_its_bytes_and_is_storable(
    text: str, limit: int
) -> None:
    short = shorten(text, limit)
    assert len(short.encode()) <= limit
    assert "\0" not in short
    if len(clean(text).encode()) <= limit and "://" not in text:
        assert short == clean(text)


_CHARACTERS = "aé\u4e2d\U0001f600 /:\0"


@given(st.text(_CHARACTERS, min_size=1, max_size=9), st.integers(64, 256))
def test_a_text_that_was_cut_keeps_its_ends(text: str, limit: int) -> None:
    long = f"<{text * limit}>"
    short = shorten(long, limit)
    assert short[0] == "<"
    assert short[-1] == ">"
    assert "\n[...]\n" in short
