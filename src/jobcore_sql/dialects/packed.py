"""All rows of a SELECT in one row of SQLite, as JSON text.

Python's driver lets go of the interpreter at every row and takes it back after. While
the event loop is busy, that costs several times as much as the row does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Dialect, LargeBinary, SelectBase, case, func
from sqlalchemy import select as select_from
from sqlalchemy.engine.interfaces import DBAPICursor


@dataclass(frozen=True, slots=True)
class Packed:
    """The statement's text, and which of its columns are bytes, written in hex."""

    text: str
    binary: Sequence[int]

    def fetch(self, cursor: DBAPICursor, values: Sequence[Any]) -> Sequence[Any] | None:
        """All rows; None where they are longer than SQLite's longest text."""
        try:
            cursor.execute(self.text, values)
        except sqlite3.DataError:
            return None
        rows: list[list[Any]] = from_json(cursor.fetchall()[0][0])
        for row in rows:
            for place in self.binary:
                if row[place] is not None:
                    row[place] = bytes.fromhex(row[place])
        return rows


@cache
def packed(select: SelectBase, dialect: Dialect) -> Packed:
    """*select*, whose order is kept, as one row."""
    rows = select.subquery()
    binary = [isinstance(each.type, LargeBinary) for each in rows.c]
    cells = (
        _in_hex(cell) if is_binary else cell
        for cell, is_binary in zip(rows.c, binary, strict=True)
    )
    whole = select_from(func.json_group_array(func.json_array(*cells)))
    places = [place for place, is_binary in enumerate(binary) if is_binary]
    return Packed(str(whole.compile(dialect=dialect)), places)


def _in_hex(cell: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((cell.is_not(None), func.hex(cell)))
