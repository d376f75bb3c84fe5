"""Migrations by Alembic; imported only where there is something to migrate."""

from __future__ import annotations

from importlib.resources import as_file, files
from io import StringIO

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Dialect, MetaData, delete, insert, inspect
from sqlalchemy.schema import CreateSchema, CreateTable

from jobcore import SchemaVersionError
from jobcore_sql.migrations.builder import Builder
from jobcore_sql.naming import Naming
from jobcore_sql.schema import EMPTY, VERSIONS


def upgrade(connection: Connection, naming: Naming, found: str, head: str) -> None:
    """Bring the tables from revision *found* to *head*, inside the connection's writing
    transaction, so that only one process does it. SchemaVersionError where *found* is
    unknown, as it is when a newer release made it."""
    name = naming.schema
    # Who may not create a schema may not even ask for one that is there.
    missing = name is not None and not inspect(connection).has_schema(name)
    context = MigrationContext.configure(connection)
    _upgrade(Operations(context), naming, (found, head), with_schema=missing)


def upgrade_as_sql(dialect: Dialect, naming: Naming, found: str, head: str) -> str:
    """What `upgrade` would execute, as text for somebody to read and to execute."""
    written = StringIO()
    options = {"as_sql": True, "literal_binds": True, "output_buffer": written}
    context = MigrationContext.configure(dialect=dialect, opts=options)
    with context.begin_transaction():
        with_schema = naming.schema is not None
        _upgrade(Operations(context), naming, (found, head), with_schema=with_schema)
    return written.getvalue()


def _upgrade(
    operations: Operations,
    naming: Naming,
    revisions: tuple[str, str],
    *,
    with_schema: bool,
) -> None:
    found, head = revisions
    with as_file(files("jobcore_sql").joinpath("migrations")) as folder:
        script = ScriptDirectory(str(folder))
        if not _is_known(script, found):
            raise SchemaVersionError(found, head)
        base = "base" if found == EMPTY else found
        steps = list(script.iterate_revisions(head, base))
        if with_schema:
            operations.execute(CreateSchema(str(naming.schema), if_not_exists=True))
        builder = Builder(operations, naming)
        for step in reversed(steps):
            step.module.upgrade(builder)
        _write_version(operations, naming, steps[0], is_first=found == EMPTY)


def _write_version(
    operations: Operations, naming: Naming, newest: Script, *, is_first: bool
) -> None:
    versions = naming.add(VERSIONS, MetaData())
    if is_first:
        operations.execute(CreateTable(versions, if_not_exists=True))
    row = {
        "revision": newest.revision,
        "compatible_since": newest.module.compatible_since,
    }
    operations.execute(delete(versions))
    operations.execute(insert(versions).values(row))


def _is_known(script: ScriptDirectory, revision: str) -> bool:
    if revision == EMPTY:
        return True
    try:
        return script.get_revision(revision) is not None
    except CommandError:
        return False
