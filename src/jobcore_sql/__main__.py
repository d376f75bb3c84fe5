"""The tables by command: `python -m jobcore_sql migrate URL`, or `current URL`."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from jobcore import StoreError
from jobcore_sql.embedding import current_revision, migrate
from jobcore_sql.migrating import on_tables
from jobcore_sql.options import SQLOptions


def _migrate(connection: Connection, options: SQLOptions) -> str:
    migrate(connection, options)
    return current_revision(connection, options)


_ACTS: Final = {"migrate": _migrate, "current": current_revision}


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what *arguments* say, and print the revision of the tables."""
    parser = ArgumentParser("python -m jobcore_sql", description=__doc__)
    parser.add_argument(
        "act",
        choices=_ACTS,
        help="bring the tables to this release, or only tell their revision",
    )
    parser.add_argument("url", metavar="URL", help="of the store")
    parser.add_argument("--schema", help="in which the tables lie")
    parser.add_argument("--prefix", default="", help="with which their names begin")
    given = parser.parse_args(arguments)
    try:
        named = {"schema": given.schema, "prefix": given.prefix}
        act = _ACTS[given.act]
        revision = asyncio.run(on_tables(given.url, act, **named))
    except StoreError as error:
        sys.exit(str(error))
    print(revision)  # noqa: T201 - what the command is for


if __name__ == "__main__":
    main()
