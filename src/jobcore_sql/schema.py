"""The version of the tables: checked at every opening, brought up to date if wanted."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Final

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from jobcore import SchemaVersionError

VERSION_TABLE: Final = "jobcore_schema"
EMPTY: Final = "empty"


def current(connection: Connection) -> str:
    """The revision of the tables that are there, `empty` where there are none."""
    return _context(connection).get_current_revision() or EMPTY


def check(connection: Connection, *, migrate: bool) -> None:
    """Let the tables be those of this release: by migrating them if *migrate*, and by
    an error where they are newer or may not be migrated. A migration runs inside the
    connection's writing transaction, so that only one process makes it."""
    with as_file(files("jobcore_sql").joinpath("migrations")) as folder:
        script = ScriptDirectory(str(folder))
        head = script.get_current_head() or EMPTY
        found = current(connection)
        if found == head:
            return
        if not migrate or not _is_known(script, found):
            raise SchemaVersionError(found, head)
        base = "base" if found == EMPTY else found
        steps = list(script.iterate_revisions(head, base))
        context = _context(connection)
        with Operations.context(context):
            for step in reversed(steps):
                step.module.upgrade()
        context.stamp(script, head)


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})


def _is_known(script: ScriptDirectory, revision: str) -> bool:
    if revision == EMPTY:
        return True
    try:
        return script.get_revision(revision) is not None
    except CommandError:
        return False
