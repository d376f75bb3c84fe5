"""Migrations by Alembic; imported only where there is something to migrate."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from jobcore import SchemaVersionError
from jobcore_sql.schema import EMPTY, VERSION_TABLE


def migrate(connection: Connection, found: str, head: str) -> None:
    """Bring the tables from revision *found* to *head*, inside the connection's writing
    transaction, so that only one process does it. SchemaVersionError where *found* is
    unknown, as it is when a newer release made it."""
    with as_file(files("jobcore_sql").joinpath("migrations")) as folder:
        script = ScriptDirectory(str(folder))
        if not _is_known(script, found):
            raise SchemaVersionError(found, head)
        base = "base" if found == EMPTY else found
        steps = list(script.iterate_revisions(head, base))
        options = {"version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        with Operations.context(context):
            for step in reversed(steps):
                step.module.upgrade()
        context.stamp(script, head)


def _is_known(script: ScriptDirectory, revision: str) -> bool:
    if revision == EMPTY:
        return True
    try:
        return script.get_revision(revision) is not None
    except CommandError:
        return False
