"""The tables as a part of the `jobcore` command: `jobcore schema`."""

from __future__ import annotations

from typing import Final

from cyclopts import App
from sqlalchemy import Connection

from jobcore import Finding, Severity
from jobcore.cli.mistakes import MistakeError
from jobcore.cli.printing import Sheet, show
from jobcore.cli.store import StoreUrl, settings
from jobcore_sql.drift import drift
from jobcore_sql.embedding import current_revision, migrate
from jobcore_sql.migrating import on_tables
from jobcore_sql.options import SQLOptions
from jobcore_sql.schema import EMPTY, HEAD
from jobcore_sql.upgrade import upgrade_as_sql

_SCHEMES: Final = ("sqlite", "postgresql", "mysql", "mariadb")

schema: App = App(name="schema", help="Look after the tables of a SQL store.")


@schema.command
async def upgrade(*, store: StoreUrl = None) -> None:
    """Bring the tables to this release, and print their revision."""
    show(await on_tables(_url(store), _upgrade))


@schema.command
async def check(*, store: StoreUrl = None) -> int:
    """Compare the tables with those of this release.

    The exit code is 1 where this release cannot work with them.
    """
    revision, findings = await on_tables(_url(store), _check)
    if revision == EMPTY:
        show("there are no tables: `jobcore schema upgrade` makes them")
        return 1
    show(f"revision {revision}, and {HEAD} is this release's")
    if findings:
        rows = [(each.severity, each.sentence) for each in findings]
        show(Sheet(("severity", "what is wrong"), rows))
    return int(any(each.severity is Severity.PROBLEM for each in findings))


@schema.command
async def sql(*, store: StoreUrl = None) -> None:
    """Print the SQL that an upgrade would execute, and change nothing."""
    show(*(await on_tables(_url(store), _sql)).splitlines())


def _url(store: str | None) -> str:
    url = settings(store).store_url
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme not in _SCHEMES:
        raise MistakeError(f"a store of {scheme!r}", "has no tables")
    return url


def _upgrade(connection: Connection, options: SQLOptions) -> str:
    migrate(connection, options)
    return current_revision(connection, options)


def _check(connection: Connection, options: SQLOptions) -> tuple[str, list[Finding]]:
    return current_revision(connection, options), list(drift(connection, options))


def _sql(connection: Connection, options: SQLOptions) -> str:
    found = current_revision(connection, options)
    if found == HEAD:
        return ""
    return upgrade_as_sql(connection.dialect, options.naming, found, HEAD)
