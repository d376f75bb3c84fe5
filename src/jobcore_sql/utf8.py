"""How texts lie in MySQL: as the bytes of their UTF-8.

To its collations, texts are the same that differ in case, in accents or in trailing
spaces, and the one that tells them all apart is not MariaDB's. Bytes are equal and
sorted as they are, whatever a server, a database or a connection of the host's is set
to.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from sqlalchemy import VARBINARY, Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from jobcore_sql.coded import Code, Coded, Implementation

T = TypeVar("T")

MYSQL: Final = ("mysql", "mariadb")
"""What SQLAlchemy calls the dialects of MySQL."""
LONGEST: Final = 2**32 - 1
"""Bytes of any number, which MySQL wants to know."""


def _bytes(length: int | None) -> TypeEngine[Any]:
    return LargeBinary(LONGEST) if length is None else VARBINARY(length)


def _of_utf8(decode: Code) -> Code:
    """*decode* for a text that comes as bytes."""
    return lambda stored: decode(None if stored is None else stored.decode())


class Utf8(TypeDecorator[str]):
    """A text as bytes, at most *length* of them if it has one. They are made of it by
    whoever runs a statement."""

    impl: Implementation = LargeBinary
    cache_ok: bool | None = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:  # noqa: ARG002 - SQLAlchemy passes it
        return _bytes(self.length)

    def bind_processor(self, dialect: Dialect) -> None:
        """Nothing is to be done."""

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
        coltype: object,  # noqa: ARG002 - likewise
    ) -> Code:
        return _decode_utf8


_decode_utf8: Code = _of_utf8(lambda text: text)


class Numbering(UserDefinedType[int]):
    """A number that MySQL gives to each row, and by which it finds it."""

    cache_ok: bool | None = True

    def get_col_spec(self, **options: object) -> str:  # noqa: ARG002 - SQLAlchemy passes them
        """What is written in its column's definition."""
        return "BIGINT AUTO_INCREMENT PRIMARY KEY"


class Worded(Coded[T]):
    """What is stored as a text."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in MYSQL:
            return _bytes(getattr(self.impl, "length", None))
        return super().load_dialect_impl(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Code | None:  # noqa: ARG002 - SQLAlchemy passes it
        return _of_utf8(self.decode) if dialect.name in MYSQL else self.decode
