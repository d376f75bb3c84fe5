"""Statements with their values in them, as the driver of MySQL sends them.

It would quote values as the connection's character set and SQL mode seem to want it.
What is written in hexadecimal has nothing to quote, and is the same bytes whatever a
connection of the host's is set to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from asyncmy.constants.SERVER_STATUS import SERVER_STATUS_IN_TRANS
from asyncmy.cursors import Cursor as DriverCursor
from asyncmy.errors import DataError
from sqlalchemy.util import await_only

_TOO_LONG: Final = 1153
"""What the server calls a packet that is too long for it."""

_ROW: Final = re.compile(r"(?<= VALUES )\(%s(?:, %s)*\)")
_MANY: Final = 500
"""How many rows an INSERT has at most."""


class _SilentCursor(DriverCursor):
    """One that does not ask what the server would warn of."""

    async def _show_warnings(self, conn: Any) -> None:
        pass


class Cursor:
    """A driver's connection, as the verbs use it: plain calls, made in a greenlet."""

    def __init__(self, connection: Any, longest: int) -> None:
        self._connection = connection
        self._longest = longest
        self._rows: Sequence[Any] = ()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        await_only(self._query(statement % tuple(map(literal, values))))

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        found = _ROW.search(statement)
        if found is None:
            for each in rows:
                self.execute(statement, each)
            return
        before, row, after = (
            statement[: found.start()],
            found[0],
            statement[found.end() :],
        )
        for start in range(0, len(rows), _MANY):
            page = rows[start : start + _MANY]
            listed = ", ".join(row % tuple(map(literal, each)) for each in page)
            await_only(self._query(before + listed + after))

    def fetchall(self) -> Sequence[Any]:
        return self._rows

    @property
    def is_closed(self) -> bool:
        return not self._connection.connected

    @property
    def is_in_transaction(self) -> bool:
        return bool(self._connection.server_status & SERVER_STATUS_IN_TRANS)

    def terminate(self) -> None:
        """Close the connection without waiting for the server."""
        self._connection.close()

    async def _query(self, text: str) -> None:
        if len(text) >= self._longest:
            # The server would hang up, as if it were gone.
            raise DataError(_TOO_LONG, f"more than {self._longest} bytes")
        cursor = self._connection.cursor(_SilentCursor)
        await cursor.execute(text)
        self._rows = await cursor.fetchall()
        await cursor.close()


def literal(value: object) -> str:
    """*value* in the text of a statement. A list stands with its brackets."""
    match value:
        case None:
            return "NULL"
        case int():
            return str(int(value))
        case str():
            return literal(value.encode())
        case bytes():
            # Without _binary, MariaDB cuts what is longer than 64 KiB in a union.
            return f"_binary x'{value.hex()}'"
        case list():
            return f"({','.join(map(literal, value))})"
        case _:
            raise TypeError(type(value))
