"""A kind of column whose values are made of plainer ones by two functions.

They are called for every value of every row, by whoever runs a statement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

T = TypeVar("T")

Code: TypeAlias = Callable[[Any], Any]
Implementation: TypeAlias = TypeEngine[Any] | type[TypeEngine[Any]]


class Coded(TypeDecorator[T]):
    """A type with a function that says what is stored for a value, and one that says
    which value is stored. Both leave None as it is."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    encode: Code
    decode: Code

    def bind_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> Code | None:
        return self.encode

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
        coltype: object,  # noqa: ARG002 - likewise
    ) -> Code | None:
        return self.decode
