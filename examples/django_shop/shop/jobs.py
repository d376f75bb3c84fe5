"""Jobs, which lie in the database of the models and share its transactions."""

from functools import cache
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection
from sqlalchemy import URL
from typing_extensions import Unpack

from jobcore import (
    DefaultJobManager,
    JobRequest,
    SubmitOptions,
    open_manager,
    store_from_url,
)


def store_url() -> str:
    """Where the models are now, which in tests is another place than in production."""
    place = connection.settings_dict
    url = URL.create(
        "postgresql+asyncpg",
        username=place["USER"] or None,
        password=place["PASSWORD"] or None,
        host=place["HOST"] or None,
        port=int(place["PORT"]) if place["PORT"] else None,
        database=place["NAME"],
    )
    return url.render_as_string(hide_password=False)


@cache
def _manager(url: str) -> DefaultJobManager:
    """A manager that is never opened: it checks jobs and writes statements."""
    return DefaultJobManager(store_from_url(url))


def submit(request: JobRequest[Any], **options: Unpack[SubmitOptions]) -> str | None:
    """Store a job by Django's connection: within the transaction that is open there,
    with which it comes or goes, else at once. Returns its id; None where its unique key
    is held. Workers are woken by the commit."""
    statement = _manager(store_url()).insert_statement([request], **options)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.parameters)
        row = cursor.fetchone()
    return None if row is None else str(row[0])


@async_to_sync
async def make_tables(**_signal: object) -> None:
    """Bring the tables of jobs to this release, as a store does when it is opened."""
    async with open_manager(store_url()):
        pass
