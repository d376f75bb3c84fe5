"""The version of the tables: checked at every opening, brought up to date if wanted.

A migration says since which revision releases can work with what it leaves. That is
kept beside the revision, so that a release may meet tables that are newer than it knows
and go on, as long as what is new only adds.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    String,
    Table,
    inspect,
    select,
)
from sqlalchemy.exc import DBAPIError

from jobcore import SchemaVersionError
from jobcore_sql.alone import alone
from jobcore_sql.naming import Naming
from jobcore_sql.options import SQLOptions

EMPTY: Final = "empty"
HEAD: Final = "0003"
"""The revision of this release, so that opening an up-to-date database needs nothing of
Alembic, which takes longer to import than all the rest."""

_FORBIDDEN: Final = frozenset({"42501", 1044, 1142})
"""What a role may not do: PostgreSQL's SQLSTATE of it, and MySQL's numbers."""

VERSIONS: Final = Table(
    "jobcore_schema",
    MetaData(),
    Column("revision", String(32), primary_key=True),
    Column("compatible_since", String(32), nullable=False),
)
"""Has one row."""


class Version(NamedTuple):
    """Of tables: their revision, and the first whose releases can work with them."""

    revision: str
    compatible_since: str

    @property
    def serves(self) -> bool:
        """Whether this release can work with them."""
        return self.compatible_since <= HEAD <= self.revision


def version(connection: Connection, naming: Naming) -> Version:
    """What is there; its revision is `empty` where there is nothing."""
    versions = naming.add(VERSIONS, MetaData())
    found = None
    if inspect(connection).has_table(versions.name, versions.schema):
        found = connection.execute(select(versions)).one_or_none()
    return Version(EMPTY, EMPTY) if found is None else Version(*found)


def check(connection: Connection, options: SQLOptions) -> None:
    """Let the tables be such as this release can work with: by migrating them if
    *options* say so, and by an error where they may not be, or are too new."""
    naming = options.naming
    if version(connection, naming).serves:
        return
    connection.rollback()
    bring_up(connection, naming, may_migrate=options.auto_migrate)


def bring_up(
    connection: Connection, naming: Naming, *, may_migrate: bool = True
) -> None:
    """Bring the tables to this release, within the transaction of *connection*."""
    with alone(connection):
        found = version(connection, naming)
        if found.serves:
            return
        if not may_migrate:
            raise SchemaVersionError(found.revision, HEAD)
        from jobcore_sql.upgrade import upgrade  # noqa: PLC0415 - see HEAD

        try:
            upgrade(connection, naming, found.revision, HEAD)
        except DBAPIError as error:
            told = {getattr(error.orig, "sqlstate", None), *error.orig.args}  # type: ignore[union-attr]  # it has one
            if told & _FORBIDDEN:
                raise SchemaVersionError(found.revision, HEAD) from error
            raise
