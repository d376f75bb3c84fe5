"""The version of the tables: checked at every opening, brought up to date if wanted."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select
from sqlalchemy.exc import DBAPIError

from jobcore import SchemaVersionError
from jobcore_sql.dialects import StoreDialect
from jobcore_sql.naming import Naming
from jobcore_sql.options import SQLOptions

VERSION_TABLE: Final = "jobcore_schema"
EMPTY: Final = "empty"
HEAD: Final = "0002"
"""The revision of this release, so that opening an up-to-date database needs nothing of
Alembic, which takes longer to import than all the rest."""

_FORBIDDEN: Final = "42501"
"""The SQLSTATE of what a role may not do."""

_VERSIONS: Final = Table(VERSION_TABLE, MetaData(), Column("version_num", String))


def current(connection: Connection, naming: Naming) -> str:
    """The revision of the tables that are there, `empty` where there are none."""
    versions = naming.add(_VERSIONS, MetaData())
    if not inspect(connection).has_table(versions.name, versions.schema):
        return EMPTY
    revision: str | None = connection.execute(select(versions)).scalar()
    return revision or EMPTY


def check(connection: Connection, dialect: StoreDialect, options: SQLOptions) -> None:
    """Let the tables be those of this release: by migrating them if *options* say so,
    and by an error where they are newer, or may not be migrated by this role."""
    naming = options.naming
    if current(connection, naming) == HEAD:
        return
    connection.rollback()
    dialect.only_one(connection)
    found = current(connection, naming)
    if found == HEAD:
        return
    if not options.auto_migrate:
        raise SchemaVersionError(found, HEAD)
    from jobcore_sql.upgrade import upgrade  # noqa: PLC0415 - see HEAD

    try:
        upgrade(connection, naming, found, HEAD)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _FORBIDDEN:
            raise SchemaVersionError(found, HEAD) from error
        raise
