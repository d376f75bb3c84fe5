"""Values compare and hash by their fields, and refuse fields that they lack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobcore.value import named_value, value


@value
class Place:
    street: str
    number: int = 1


@named_value
class Person:
    name: str


def test_a_value_compares_and_hashes_by_its_fields() -> None:
    assert {Place("A", 2), Place("A", 2), Place("A")} == {Place("A", 2), Place("A")}
    assert replace(Place("A"), number=2) == Place("A", number=2)


def test_a_value_has_the_fields_it_names_and_no_other() -> None:
    with pytest.raises(AttributeError):
        Place("A").city = "B"  # type: ignore[attr-defined]  # what is refused here


def test_a_named_value_takes_its_fields_by_name_only() -> None:
    assert Person(name="Ada").name == "Ada"
    with pytest.raises(TypeError):
        Person("Ada")  # type: ignore[call-arg]  # what is refused here
