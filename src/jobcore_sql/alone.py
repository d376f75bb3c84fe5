"""One migrates at a time, on whatever kind of connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, text

_LONG: Final = 7 * 24 * 60 * 60
"""Seconds to wait for it, if nothing else ends that."""
_LOCK: Final = 0x6A6F62636F7265  # "jobcore" in ASCII: who migrates holds this lock


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Wait until nobody else is here, and keep others out until the end of the
    connection's transaction; on MySQL of the body, with which that is committed."""
    match connection.dialect.name:
        case "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        case "sqlite":
            driver = connection.connection.driver_connection
            if not driver.in_transaction:  # type: ignore[union-attr]  # it has one
                connection.exec_driver_sql("BEGIN IMMEDIATE")
        case "mysql" | "mariadb":
            with _lock_of_mysql(connection):
                yield
            return
    yield


@contextmanager
def _lock_of_mysql(connection: Connection) -> Iterator[None]:
    """No lock is kept by a transaction there, which ends with each step anyway."""
    name = "CONCAT('jobcore:', MD5(DATABASE()))"  # a server has one of each name
    connection.execute(text(f"SELECT GET_LOCK({name}, {_LONG})"))
    try:
        yield
        connection.execute(text("COMMIT"))
    finally:
        connection.execute(text(f"SELECT RELEASE_LOCK({name})"))
