"""The version of the tables: checked at every opening, brought up to date if wanted."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from jobcore import SchemaVersionError
from jobcore_sql.dialects import StoreDialect

VERSION_TABLE: Final = "jobcore_schema"
EMPTY: Final = "empty"
HEAD: Final = "0002"
"""The revision of this release, so that opening an up-to-date database needs nothing of
Alembic, which takes longer to import than all the rest."""

_VERSIONS: Final = Table(VERSION_TABLE, MetaData(), Column("version_num", String))


def current(connection: Connection) -> str:
    """The revision of the tables that are there, `empty` where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return EMPTY
    revision: str | None = connection.execute(select(_VERSIONS)).scalar()
    return revision or EMPTY


def check(connection: Connection, dialect: StoreDialect, *, migrate: bool) -> None:
    """Let the tables be those of this release: by migrating them if *migrate*, and by
    an error where they are newer or may not be migrated."""
    if current(connection) == HEAD:
        return
    connection.rollback()
    dialect.only_one(connection)
    found = current(connection)
    if found == HEAD:
        return
    if not migrate:
        raise SchemaVersionError(found, HEAD)
    from jobcore_sql.migrate import migrate as bring_up  # noqa: PLC0415 - see HEAD

    bring_up(connection, found, HEAD)
