"""A call becomes named JSON values, and these a call again, by the signature."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from jobcore import InvalidJobError
from jobcore.arguments import Arguments
from jobcore.payload import encode

MEGABYTE = 2**20


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Letter(BaseModel):
    to: str
    at: datetime


def there_and_back(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call *function* with what its arguments are after the way through a store."""
    arguments = Arguments(function)
    values = arguments.encode(args, kwargs)
    args, kwargs = arguments.decode(encode("arguments", values, MEGABYTE))
    return function(*args, **kwargs)


def typed(  # noqa: PLR0913, PLR0917 - one of each
    letter: Letter,
    point: Point,
    when: datetime,
    after: timedelta,
    price: Decimal,
    key: UUID,
    path: Path,
    numbers: set[int],
    pair: tuple[int, str],
    by_number: dict[int, str],
) -> Any:
    return (letter, point, when, after, price, key, path, numbers, pair, by_number)


def test_what_has_a_type_comes_back_as_that_type() -> None:
    now = datetime.now(UTC)
    given = (
        Letter(to="ada", at=now),
        Point(1, 2),
        now,
        timedelta(days=1, microseconds=1),
        Decimal("1.10"),
        UUID(int=7),
        Path("a/b"),
        {1, 2},
        (1, "a"),
        {1: "a"},
    )
    assert there_and_back(typed, *given) == given


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.decimals(allow_nan=False, allow_infinity=False),
)
def test_instants_and_decimals_come_back_equal(when: datetime, price: Decimal) -> None:
    def both(when: datetime, price: Decimal) -> Any:
        return when, price

    assert there_and_back(both, when, price) == (when, price)


def every_kind(
    a: int, /, b: int, c: int = 3, *rest: int, d: int, e: int = 5, **more: int
) -> Any:
    return a, b, c, rest, d, e, more


def test_every_kind_of_parameter_is_passed_on() -> None:
    assert there_and_back(every_kind, 1, 2, d=4) == (1, 2, 3, (), 4, 5, {})
    assert there_and_back(every_kind, 1, b=2, d=4, e=6) == (1, 2, 3, (), 4, 6, {})
    full = there_and_back(every_kind, 1, 2, 9, 10, 11, d=4, e=6, f=7, g=8)
    assert full == (1, 2, 9, (10, 11), 4, 6, {"f": 7, "g": 8})


def test_defaults_are_not_sent_so_that_the_handler_may_change_them() -> None:
    assert Arguments(every_kind).encode((1, 2), {"d": 4}) == {"a": 1, "b": 2, "d": 4}


def test_methods_partials_and_callable_objects_have_a_signature() -> None:
    class Greeter:
        def greet(self, name: str, times: int = 1) -> str:
            return name * times

        def __call__(self, name: str) -> str:
            return name

    assert there_and_back(Greeter().greet, "a", times=2) == "aa"
    assert there_and_back(Greeter(), "a") == "a"
    assert there_and_back(functools.partial(Greeter().greet, times=3), "a") == "aaa"


def constrained(age: Annotated[int, Field(ge=0)], name: str = "") -> Any:
    return age, name


@pytest.mark.parametrize(
    ("args", "kwargs", "told"),
    [
        ((), {}, "age"),
        ((1, "a", 2), {}, "too many"),
        ((1,), {"age": 2}, "multiple values"),
        ((1,), {"surname": "b"}, "surname"),
        (("x",), {}, "age: Input should be a valid integer"),
        ((-1,), {}, "age: Input should be greater than or equal to 0"),
        ((None,), {}, "age"),
        ((1, 5), {}, "name: Input should be a valid string"),
        ((1, object()), {}, "name"),
    ],
)
def test_a_call_that_does_not_fit_is_refused(
    args: tuple[Any, ...], kwargs: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidJobError, match=told) as refused:
        Arguments(constrained).encode(args, kwargs)
    assert (refused.value.code, refused.value.field) == ("invalid_job", "arguments")


@pytest.mark.parametrize(
    "payload",
    [
        b'{"age":-1}',
        b'{"name":"a"}',
        b'{"age":1,"surname":"b"}',
        b'{"age":NaN}',
        b"[1]",
        b"null",
        b"{",
        b"",
        b"\xff",
    ],
)
def test_a_payload_that_does_not_fit_is_refused(payload: bytes) -> None:
    with pytest.raises(InvalidJobError) as refused:
        Arguments(constrained).decode(payload)
    assert refused.value.field == "arguments"


def test_a_value_is_not_told_in_the_refusal() -> None:
    with pytest.raises(InvalidJobError) as refused:
        Arguments(constrained).encode(("secret",), {})
    assert "secret" not in str(refused.value)


def untyped(a, b: Any = None, *rest: Any, **more: Any) -> Any:  # type: ignore[no-untyped-def]
    return a, b, rest, more


def test_what_has_no_type_travels_as_it_is() -> None:
    sent = Arguments(untyped).encode(({1: (2,)}, {3}), {"c": Decimal(1)})
    assert sent == {"a": {1: (2,)}, "b": {3}, "more": {"c": Decimal(1)}}
    assert there_and_back(untyped, [1], {"x": None}, 2, c=True) == (
        [1],
        {"x": None},
        (2,),
        {"c": True},
    )


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {1: 2}, {1}, (1,), Decimal(1), object(), "\ud800"],
    ids=str,
)
def test_what_has_no_type_and_is_no_json_is_not_changed_into_it(value: Any) -> None:
    with pytest.raises(InvalidJobError):
        there_and_back(untyped, value)


def containers(loose: dict[str, Any], items: list[Any], number: float = 0) -> Any:
    return loose, items, number


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused_at_any_depth(number: float) -> None:
    calls: list[tuple[Any, ...]] = [
        ({"a": number}, []),
        ({}, [[number]]),
        ({}, [], number),
    ]
    for call in calls:
        with pytest.raises(InvalidJobError):
            there_and_back(containers, *call)


def test_what_cannot_be_written_is_refused() -> None:
    for value in (object(), b"\xff"):
        with pytest.raises(InvalidJobError) as refused:
            there_and_back(containers, {"a": value}, [])
        assert refused.value.field == "arguments"


def test_a_cycle_is_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    calls: list[tuple[Any, ...]] = [({}, cycle), ({"a": cycle}, [])]
    for call in calls:
        with pytest.raises(InvalidJobError):
            there_and_back(containers, *call)


def test_a_context_that_comes_first_is_no_argument() -> None:
    def with_context(context: object, name: str) -> str:
        return f"{context}{name}"

    assert Arguments(with_context, skipped=1).encode(("a",), {}) == {"name": "a"}


def test_the_return_type_is_known_where_it_is_told() -> None:
    def number() -> int:
        return 1

    def unknown(): ...  # type: ignore[no-untyped-def]

    result_type = Arguments(number).result_type
    assert result_type is not None
    assert result_type.validate_json(b"1") == 1
    assert Arguments(unknown).result_type is None
    assert Arguments(untyped).result_type is None


class Share(BaseModel):
    of: float | None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused_in_models_too(number: float) -> None:
    def divide(shares: list[Share], rest: Iterable[int | None]) -> Any:
        return shares, list(rest)

    with pytest.raises(InvalidJobError, match="has a number that is not finite"):
        Arguments(divide).encode(([Share(of=number)], []), {})
    absent = [Share(of=None)]
    assert there_and_back(divide, absent, iter([1, None])) == (absent, [1, None])


def test_what_is_said_of_an_annotation_need_not_have_a_hash() -> None:
    def send(
        to: Annotated[str, {"doc": "who"}], ids: Annotated[list[int], ["m"]]
    ) -> Any:
        return to, ids

    assert there_and_back(send, "ada", [1]) == ("ada", [1])
