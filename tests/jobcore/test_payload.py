"""JSON text: strict about what is submitted, forgiving about what ran."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, field_serializer
from pydantic_core import from_json

from jobcore import InvalidJobError, TooLargeError
from jobcore.payload import MAX_DEPTH, clean, encode, encode_result, safe_repr

MEGABYTE = 2**20

TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
    ),
    max_leaves=12,
)


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def cyclic() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


class Number(enum.IntEnum):
    ONE = 1


class Colour(enum.Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


class Evil:
    def __repr__(self) -> NoReturn:
        raise RuntimeError("no")


class EvilDict(dict[str, int]):
    def __iter__(self) -> NoReturn:
        raise RuntimeError("no")

    def items(self) -> NoReturn:
        raise RuntimeError("no")


@dataclasses.dataclass
class Point:
    x: int


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_what_is_accepted_comes_back_equal(value: dict[str, Any]) -> None:
    text = encode("arguments", value, MEGABYTE)
    assert from_json(text) == value
    assert json.loads(text) == value


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"": 1, "__proto__": 2, "constructor": 3, "$ref": 4, "py/object": "os.system"},
        {"a": "v1.gAAAAABencrypted"},
        {"a": "%s {0.__class__} ${jndi:ldap://x} <script>\r\n\x1b[31m"},
        {"a": [2**63, 2**64 - 1, -(2**63), 2**53 + 1]},
        {str(number): number for number in range(100_000)},
    ],
)
def test_odd_but_plain_data_come_back_equal(value: dict[str, Any]) -> None:
    assert from_json(encode("arguments", value, 8 * MEGABYTE)) == value


def test_a_negative_zero_keeps_its_sign() -> None:
    (zero,) = from_json(encode("arguments", [-0.0], MEGABYTE))
    assert math.copysign(1, zero) == -1


REFUSED: dict[str, Any] = {
    "infinity": float("inf"),
    "negative infinity": float("-inf"),
    "not a number": float("nan"),
    "an infinity that was parsed": json.loads('{"a":1e400}'),
    "a NaN that was parsed": json.loads('{"a":NaN}'),
    "an integer of 65 bits": 2**64,
    "a negative integer of 65 bits": -(2**63) - 1,
    "an integer of 401 digits": 10**400,
    "an integer that Python does not print": 10**5000,
    "NUL in a value": "a\0b",
    "NUL in a key": {"a\0": 1},
    "a lone surrogate": "\ud800",
    "a reversed pair": "\udc00\ud800",
    "a lone surrogate in a key": {"\ud800": 1},
    "a number as key": {1: "a"},
    "None as key": {None: "a"},
    "True as key": {True: "a"},
    "a tuple as key": {(1, 2): "a"},
    "a text of a subclass as key": {Text("a"): 1},
    "a key without a repr": {Evil(): 1},
    "a key that Python does not print": {10**5000: 1},
    "65 levels": nested(65),
    "100,000 levels": nested(100_000),
    "a cycle": cyclic(),
    "bytes": b"a",
    "a set": {1},
    "a tuple": (1,),
    "a decimal": Decimal(1),
    "a UUID": UUID(int=1),
    "a datetime": datetime(2030, 1, 1, tzinfo=UTC),
    "a dataclass": Point(1),
    "an enum": Colour.RED,
    "an integer enum": Number.ONE,
    "a text of a subclass": Text("a"),
    "an ordered dict": OrderedDict(a=1),
    "a dict that raises": EvilDict(a=1),
    "a generator": (each for each in [1]),
    "an object": object(),
    "an object without a repr": Evil(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_come_back_equal_is_refused(name: str) -> None:
    with pytest.raises(InvalidJobError) as refused:
        encode(
            "arguments",
            {"deep": REFUSED[name]} if "level" not in name else REFUSED[name],
            MEGABYTE,
        )
    assert refused.value.code == "invalid_job"
    assert refused.value.field == "arguments"
    assert str(refused.value).startswith("arguments ")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 200


def test_64_levels_are_accepted() -> None:
    assert MAX_DEPTH == 64
    assert from_json(encode("arguments", nested(64), MEGABYTE)) == nested(64)


@pytest.mark.parametrize("text", ["x" * 8, "\N{EURO SIGN}" * 2 + "xx", '"' * 4])
def test_the_limit_counts_bytes_of_utf8_after_escaping(text: str) -> None:
    assert len(encode("arguments", text, 10)) == 10
    with pytest.raises(TooLargeError) as refused:
        encode("arguments", f"{text}x", 10)
    assert refused.value.code == "too_large"
    assert (refused.value.size, refused.value.limit) == (11, 10)


def test_a_result_is_stored_as_it_is() -> None:
    assert encode_result({"a": [1]}, None, 100) == (b'{"a":[1]}', None)
    point = encode_result(Point(1), TypeAdapter(Point), 100)
    assert point == (b'{"x":1}', None)


class Grumpy(BaseModel):
    a: int

    @field_serializer("a")
    def refuse(self, value: int) -> int:
        raise ValueError("\0\ud800" * 10_000, value)


class Foul(Evil):
    def __getattribute__(self, name: str) -> NoReturn:
        raise RuntimeError(name)


@dataclasses.dataclass
class Thing:
    a: Any


LIKENESSES: dict[str, tuple[Any, Any]] = {
    "not a number": (float("nan"), None),
    "infinity in a list": ([1, float("inf")], [1, None]),
    "a huge integer": ([10**5000], [None]),
    "a tuple": ((1, 2), [1, 2]),
    "a set": ({1}, [1]),
    "bytes": (b"\xff", "_w=="),
    "keys that are no strings": ({1: {None: 2}}, {"1": {"None": 2}}),
    "NUL and a surrogate": ("a\0\ud800", "a\ufffd?"),
    "NUL in a key": ({"\0": 1}, {"\ufffd": 1}),
    "a dataclass": (Thing((1,)), {"a": [1]}),
    "65 levels": (nested(65), nested(64)[:-1] or None),
    "an object without a repr": (Evil(), "<Evil>"),
    "an object that raises for everything": (Foul(), "<Foul>"),
}


@pytest.mark.parametrize("name", LIKENESSES)
def test_a_result_that_is_not_storable_is_stored_as_its_likeness(name: str) -> None:
    value, likeness = LIKENESSES[name]
    text, problem = encode_result(value, None, MEGABYTE)
    assert problem
    if name != "65 levels":
        assert from_json(text) == likeness


class Share(BaseModel):
    of: float | None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_told_of_in_models_too(number: float) -> None:
    shares = TypeAdapter(list[Share])
    text, problem = encode_result([Share(of=1), Share(of=number)], shares, 100)
    assert (text, problem) == (
        b'[{"of":1.0},{"of":null}]',
        "result has a number that is not finite",
    )
    assert encode_result([Share(of=None)], shares, 100) == (b'[{"of":null}]', None)


async def a_coroutine() -> int:
    return 1


async def an_async_generator() -> AsyncIterator[int]:
    yield 1


def an_endless_generator() -> Iterator[int]:
    while True:
        yield 1


@pytest.mark.parametrize(
    "make", [a_coroutine, an_async_generator, an_endless_generator]
)
@pytest.mark.parametrize("result_type", [None, TypeAdapter(int)])
def test_what_has_not_run_yet_is_not_run_to_be_stored(
    make: Any, result_type: TypeAdapter[int] | None
) -> None:
    text, problem = encode_result(make(), result_type, MEGABYTE)
    assert make.__name__ in from_json(text)
    assert problem


@pytest.mark.parametrize(
    "value",
    [EvilDict(a=1), cyclic(), nested(100_000), Grumpy(a=1), "\ud800" * MEGABYTE],
    ids=["a dict that raises", "a cycle", "deep", "a serializer that raises", "long"],
)
@pytest.mark.parametrize("result_type", [None, TypeAdapter(int), TypeAdapter(Grumpy)])
def test_whatever_a_handler_returns_is_made_storable(
    value: Any, result_type: TypeAdapter[Any] | None
) -> None:
    text, problem = encode_result(value, result_type, 4 * MEGABYTE)
    encode("result", from_json(text), 4 * MEGABYTE)
    told = problem or ""
    assert told == clean(told)
    assert len(told) <= 1024


def test_a_result_that_is_too_large_becomes_null_with_its_size() -> None:
    too_large = (b"null", "result has 11 bytes, and 10 is the limit")
    assert encode_result("x" * 9, None, 10) == too_large
    assert encode_result("x" * 8, None, 10) == (b'"xxxxxxxx"', None)
    assert encode_result(("x" * 7,), None, 10) == too_large


@given(st.text(st.characters()))
def test_clean_text_is_storable_and_otherwise_unchanged(text: str) -> None:
    cleaned = clean(text)
    encode("arguments", cleaned, MEGABYTE)
    assert len(cleaned) == len(text)
    assert all(
        new == old or (old == "\0" or "\ud800" <= old <= "\udfff")
        for new, old in zip(cleaned, text, strict=True)
    )


def test_a_repr_never_raises() -> None:
    assert safe_repr(1) == "1"
    assert safe_repr(Evil()) == "<Evil>"
