"""Acts on the tables of a URL, which may take as long as they take, for commands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

from sqlalchemy import Connection

from jobcore_sql.address import address
from jobcore_sql.database import database
from jobcore_sql.options import SQLOptions

T = TypeVar("T")

_NO_LIMIT: Final = timedelta(0)
_LONG: Final = timedelta(days=7)


async def on_tables(
    url: str,
    act: Callable[[Connection, SQLOptions], T],
    *,
    schema: str | None = None,
    prefix: str = "",
) -> T:
    """What *act* answers on a connection to *url*, which is closed again. An index on
    millions of rows takes what it takes."""
    options = SQLOptions(
        schema=schema, prefix=prefix, statement_timeout=_NO_LIMIT, call_timeout=_LONG
    )
    there = database(*address(url, options))
    try:
        return await there.open(act)
    finally:
        await there.close()
