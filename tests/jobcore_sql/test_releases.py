"""A release beside the next one, on the tables that the next one has migrated."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from jobcore import ScheduleRecord
from jobcore.errors import SchemaVersionError, StoreError
from jobcore.job import JobStatus
from jobcore.lifecycle import complete
from jobcore.query import Filter
from jobcore.testing import a_job, a_request, inserted
from jobcore_sql import SQLJobStore, SQLOptions, schema, upgrade
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio

BEFORE, THIS, NEXT = (f"{int(schema.HEAD) + step:04}" for step in (-1, 0, 1))
MIGRATION = """
from sqlalchemy import Column, Integer, Text
from jobcore_sql.partial import Condition

revision = "{revision}"
down_revision = "{before}"
branch_labels = depends_on = None
compatible_since = "{since}"


def upgrade(builder):
    jobs, schema = builder.naming.name("jobs"), builder.naming.schema
    builder.operations.add_column(jobs, Column("note", Text), schema=schema)
    noted = Condition("note IS NOT NULL")
    builder.create_index("jobs_note", "jobs", ["note"], where=noted)
    builder.create_table("notes", Column("id", Integer, primary_key=True))
"""


@pytest.fixture(params=["sqlite", *postgresql.SERVERS])
async def empty_url(request: pytest.FixtureRequest, url: str) -> AsyncIterator[str]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        yield url
    else:
        async with postgresql.another_database(request.param) as other:
            yield other


@contextmanager
def the_next_release(folder: Path, since: str) -> Iterator[None]:
    """What is opened meanwhile is of the next release."""
    with pytest.MonkeyPatch.context() as patch:
        there = Path(upgrade.__file__).parent / "migrations"
        migrations = shutil.copytree(there, folder / "migrations", dirs_exist_ok=True)
        text = MIGRATION.format(revision=NEXT, before=THIS, since=since)
        (migrations / "versions" / "next.py").write_text(text)
        patch.setattr(upgrade, "files", lambda _: folder)
        patch.setattr(schema, "HEAD", NEXT)
        yield


@contextmanager
def the_release_before() -> Iterator[None]:
    """What is opened meanwhile knows no newer tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "HEAD", BEFORE)
        yield


async def work(store: SQLJobStore) -> None:
    """Leave one more completed job, after a look at everything."""
    before = (await store.statistics()).count(JobStatus.COMPLETED)
    await inserted(store, a_job(labels={"to": "Ada"}), a_job(delay=timedelta(hours=1)))
    (claim,) = (await store.claim(a_request())).claims
    assert not (await store.renew([claim], timedelta(minutes=1))).lost
    await store.apply([complete(claim, b"1")])
    assert (await store.find(Filter(labels={"to": "Ada"}), None, 10)).jobs
    assert (await store.statistics()).count(JobStatus.COMPLETED) == before + 1
    assert (await store.verify()).sound


async def test_the_release_before_goes_on_with_the_tables_of_this_one(
    empty_url: str,
) -> None:
    nightly = ScheduleRecord(name="nightly", revision="1", data=b"{}")
    with the_release_before():
        async with SQLJobStore(empty_url) as older:
            await work(older)
            with pytest.raises(StoreError):
                await older.schedules()
    async with SQLJobStore(empty_url) as newer:
        await work(newer)
        assert await newer.fire(nightly, None, []) == []
    with the_release_before():
        async with SQLJobStore(empty_url, SQLOptions(auto_migrate=False)) as older:
            await work(older)
    async with SQLJobStore(empty_url) as newer:
        assert await newer.schedules() == [nightly]


@pytest.mark.parametrize("since", [BEFORE, THIS])
async def test_a_release_goes_on_where_the_next_one_only_adds(
    empty_url: str, tmp_path: Path, since: str
) -> None:
    async with SQLJobStore(empty_url) as older:
        await work(older)
        with the_next_release(tmp_path, since):
            async with SQLJobStore(empty_url) as newer:
                await work(newer)
                await work(older)
        await work(older)
    for may_migrate in (True, False):
        options = SQLOptions(auto_migrate=may_migrate)
        async with SQLJobStore(empty_url, options) as older:
            await work(older)
    with the_next_release(tmp_path, since):
        options = SQLOptions(auto_migrate=False)
        async with SQLJobStore(empty_url, options) as newer:
            await work(newer)


async def test_a_release_is_refused_where_the_next_one_says_so(
    empty_url: str, tmp_path: Path
) -> None:
    async with SQLJobStore(empty_url) as older:
        await work(older)
    with the_next_release(tmp_path, NEXT):
        async with SQLJobStore(empty_url) as newer:
            await work(newer)
    for may_migrate in (True, False):
        options = SQLOptions(auto_migrate=may_migrate)
        with pytest.raises(SchemaVersionError) as caught:
            await SQLJobStore(empty_url, options).__aenter__()
        assert (caught.value.found, caught.value.expected) == (NEXT, THIS)


async def test_the_next_release_wants_its_own_tables(
    empty_url: str, tmp_path: Path
) -> None:
    async with SQLJobStore(empty_url):
        pass
    with (
        the_next_release(tmp_path, THIS),
        pytest.raises(SchemaVersionError) as caught,
    ):
        await SQLJobStore(empty_url, SQLOptions(auto_migrate=False)).__aenter__()
    assert (caught.value.found, caught.value.expected) == (THIS, NEXT)
