"""The kind of class that values are of which every job needs some."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from typing_extensions import dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """Make *cls* a dataclass with slots that compares and hashes by its fields.

    Type checkers see it as frozen. At run time nothing refuses an assignment, as what
    refuses it makes each instance take three times as long to build.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(field,)
)
def named_value(cls: type[T]) -> type[T]:
    """A `value` whose fields are given by name only."""
    return dataclass(slots=True, unsafe_hash=True, kw_only=True)(cls)
