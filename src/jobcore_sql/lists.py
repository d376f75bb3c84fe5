"""Lists of values, as parameters of statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic_core import to_json
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Dialect,
    LargeBinary,
    Text,
    cast,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from jobcore_sql.coded import Code, Implementation
from jobcore_sql.utf8 import MYSQL

T = TypeVar("T")


class Array(TypeDecorator[Sequence[T]]):
    """A list of values of another type, as a parameter, where a database has arrays."""

    impl: Implementation = ARRAY
    cache_ok: bool | None = True

    def __init__(self, item: TypeEngine[T]) -> None:
        super().__init__(item)
        self.item = item

    def bind_processor(self, dialect: Dialect) -> Code | None:
        encode: Code | None = self.item.dialect_impl(dialect).bind_processor(dialect)
        return encode and (lambda values: list(map(encode, values)))


def _array_text(values: Sequence[str]) -> str:
    """What PostgreSQL reads as an array of *values*."""
    text = "\0".join(values)
    if text.count("\0") >= max(len(values), 1):
        raise ValueError("a text has a NUL character")
    return _array(text) if values else "{}"


def _array_bytes(values: Sequence[bytes]) -> str:
    """The same of bytes: of ASCII as they are, which most JSON is."""
    joined = b"\0".join(values)
    if joined.isascii() and joined.count(b"\0") < len(values):
        return _array(joined.decode("ascii").replace("\\", "\\\\"))
    texts = "\0".join(f"\\x{each.hex()}" for each in values)
    return _array(texts) if values else "{}"


def _array(texts: str) -> str:
    """An array of *texts*, which are escaped at once, with a character between them
    that none can have."""
    escaped = texts.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return f'{{"{escaped}"}}'


class ArrayText(TypeDecorator[Sequence[T]]):
    """A list of values that are texts in the database, as the text of an array, which
    the statement casts to one. None is none of them, as what stands for it is a text
    where a server has `array_nulls` off.

    As the driver sends a list, it asks of each item whether it is a list, which takes
    several times as long as all the rest.
    """

    impl: Implementation = Text
    cache_ok: bool | None = True

    def __init__(self, item: TypeEngine[T]) -> None:
        super().__init__()
        self.item = item

    def bind_processor(self, dialect: Dialect) -> Code:
        encode: Code | None = self.item.dialect_impl(dialect).bind_processor(dialect)
        if encode is None:
            return _array_text
        return lambda values: _array_text(list(map(encode, values)))

    def bind_expression(self, bindparam: BindParameter[Any]) -> ColumnElement[Any]:
        return cast(bindparam, ARRAY(Text))


class ArrayBytes(TypeDecorator[Sequence[bytes]]):
    """A list of bytes, likewise."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    def bind_processor(self, dialect: Dialect) -> Code:  # noqa: ARG002 - only PostgreSQL has arrays
        return _array_bytes

    def bind_expression(self, bindparam: BindParameter[Any]) -> ColumnElement[Any]:
        return cast(bindparam, ARRAY(LargeBinary))


def _listed(values: Sequence[Any]) -> Sequence[Any]:
    return list(values) or [None]  # an empty list is none that MySQL can read


def _json_text(values: Sequence[str]) -> str:
    return to_json(values).decode()


class Texts(TypeDecorator[Sequence[str]]):
    """A list of texts, as a parameter; on PostgreSQL as the text of an array, which
    `Among` casts to one."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    def bind_processor(self, dialect: Dialect) -> Code:
        if dialect.name in MYSQL:
            return _listed
        return _array_text if dialect.name == "postgresql" else _json_text
