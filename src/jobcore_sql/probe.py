"""A look whether anybody has written, so cheap that the event loop takes it itself."""

from __future__ import annotations

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from jobcore_sql.dialects.sqlite import SQLiteDialect


class Probe:
    """Asks the database for its version, on a connection that waits for no lock."""

    def __init__(self, engine: Engine, dialect: SQLiteDialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._connection: Connection | None = None

    def version(self) -> int | None:
        """A number that changes when anybody commits; None where there is none now."""
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
                self._dialect.never_wait(self._connection.connection.cursor())
            return self._dialect.version(self._connection.connection.cursor())
        except (SQLAlchemyError, self._dialect.error):
            return None

    def close(self) -> None:
        """Leave nothing open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
