"""One migrates at a time, on whatever kind of connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, text

_LOCK: Final = 0x6A6F62636F7265  # "jobcore" in ASCII: who migrates holds this lock


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Wait until nobody else is here, and keep others out until the end of the
    connection's transaction."""
    match connection.dialect.name:
        case "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        case "sqlite":
            driver = connection.connection.driver_connection
            if not driver.in_transaction:  # type: ignore[union-attr]  # it has one
                connection.exec_driver_sql("BEGIN IMMEDIATE")
    yield
