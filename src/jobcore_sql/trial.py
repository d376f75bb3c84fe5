"""Trials: a store beside that of a URL, all of which is gone afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from sqlalchemy import URL, Connection, MetaData, make_url

from jobcore_sql.address import address
from jobcore_sql.database import database
from jobcore_sql.embedding import add_tables
from jobcore_sql.options import SQLOptions


@asynccontextmanager
async def trial(url: str) -> AsyncIterator[str]:
    """The URL of such a store: in a file of its own, or in tables with a prefix."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        with TemporaryDirectory(prefix="jobcore-") as folder:
            yield _text(place.set(database=str(Path(folder) / "jobs.db")))
        return
    prefix = {"jobcore_prefix": f"trial_{uuid4().hex[:16]}_"}
    own = _text(place.update_query_dict(prefix))
    try:
        yield own
    finally:
        opened = database(*address(own, SQLOptions()))
        await opened.open(_drop)
        await opened.close()


def _drop(connection: Connection, options: SQLOptions) -> None:
    tables = MetaData()
    add_tables(tables, options)
    tables.drop_all(connection)


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
