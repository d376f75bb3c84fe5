"""The tables within what a host has for its own: its migrations, and its metadata."""

from __future__ import annotations

from sqlalchemy import Connection, MetaData

from jobcore import StoreError
from jobcore_sql import schema
from jobcore_sql.options import SQLOptions
from jobcore_sql.tables import metadata as ours


def current_revision(connection: Connection, options: SQLOptions | None = None) -> str:
    """The revision of the tables of a store with *options*, as `empty` where there are
    none yet."""
    return schema.version(connection, (options or SQLOptions()).naming).revision


def migrate(connection: Connection, options: SQLOptions | None = None) -> None:
    """Bring the tables of a store with *options* to this release, in the transaction
    that is open on *connection*, which is the caller's to commit. In a migration of
    Alembic that is `migrate(op.get_bind())`."""
    schema.bring_up(connection, (options or SQLOptions()).naming)


def add_tables(metadata: MetaData, options: SQLOptions | None = None) -> None:
    """Add the tables of a store with *options* to *metadata*, so that `alembic revision
    --autogenerate` leaves them alone."""
    naming = (options or SQLOptions()).naming
    if metadata.schema is not None and naming.schema is None:
        problem = f"the metadata would put its tables into {metadata.schema!r}"
        raise StoreError(problem)
    for each in (schema.VERSIONS, *ours.sorted_tables):
        naming.add(each, metadata)
