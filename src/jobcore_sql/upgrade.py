"""Migrations by Alembic; imported only where there is something to migrate."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, delete, insert, inspect
from sqlalchemy.schema import CreateSchema

from jobcore import SchemaVersionError
from jobcore_sql.migrations.builder import Builder
from jobcore_sql.naming import Naming
from jobcore_sql.schema import EMPTY, VERSIONS


def upgrade(connection: Connection, naming: Naming, found: str, head: str) -> None:
    """Bring the tables from revision *found* to *head*, inside the connection's writing
    transaction, so that only one process does it. SchemaVersionError where *found* is
    unknown, as it is when a newer release made it."""
    with as_file(files("jobcore_sql").joinpath("migrations")) as folder:
        script = ScriptDirectory(str(folder))
        if not _is_known(script, found):
            raise SchemaVersionError(found, head)
        base = "base" if found == EMPTY else found
        steps = list(script.iterate_revisions(head, base))
        _create_schema(connection, naming.schema)
        context = MigrationContext.configure(connection)
        builder = Builder(Operations(context), naming)
        for step in reversed(steps):
            step.module.upgrade(builder)
        _write_version(connection, naming, steps[0])


def _create_schema(connection: Connection, name: str | None) -> None:
    # Who may not create a schema may not even ask for one that is there.
    if name is not None and not inspect(connection).has_schema(name):
        connection.execute(CreateSchema(name, if_not_exists=True))


def _write_version(connection: Connection, naming: Naming, newest: Script) -> None:
    versions = naming.add(VERSIONS, MetaData())
    versions.create(connection, checkfirst=True)
    connection.execute(delete(versions))
    row = {
        "revision": newest.revision,
        "compatible_since": newest.module.compatible_since,
    }
    connection.execute(insert(versions).values(row))


def _is_known(script: ScriptDirectory, revision: str) -> bool:
    if revision == EMPTY:
        return True
    try:
        return script.get_revision(revision) is not None
    except CommandError:
        return False
