"""What may stand in the URL of a store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from jobcore import StoreError, open_manager
from jobcore_sql import SQLJobStore, SQLOptions
from jobcore_sql.address import address

pytestmark = pytest.mark.anyio

URL = "postgresql+asyncpg://user@host/database"


def test_options_of_the_url_go_before_others_and_leave_it() -> None:
    given = SQLOptions(pool_size=3, prefix="mail_")
    options = (
        "jobcore_pool_size=7&jobcore_schema=jobs&jobcore_transaction_pooler=yes"
        "&jobcore_lock_timeout=1.5&jobcore_call_timeout=PT1M"
    )
    url, chosen = address(f"{URL}?{options}&ssl=require", given)
    assert url.render_as_string() == f"{URL}?ssl=require"
    assert chosen == SQLOptions(
        pool_size=7,
        schema="jobs",
        prefix="mail_",
        transaction_pooler=True,
        lock_timeout=timedelta(seconds=1.5),
        call_timeout=timedelta(minutes=1),
    )


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nothing", "its URL cannot be read"),
        (f"{URL}?jobcore_pools=7", "a bad jobcore_pools"),
        (f"{URL}?jobcore_pool_size=many", "a bad jobcore_pool_size"),
        (f"{URL}?jobcore_pool_size=1&jobcore_pool_size=2", "a bad jobcore_pool_size"),
        (f"{URL}?jobcore_schema=My+Jobs", "the schema 'My Jobs' is not"),
        ("sqlite:///jobs.db?jobcore_schema=jobs", "sqlite has no schemas"),
    ],
)
def test_a_url_that_says_nonsense_is_refused(url: str, problem: str) -> None:
    with pytest.raises(StoreError) as caught:
        SQLJobStore(url)
    assert problem in str(caught.value)


async def test_a_manager_opens_a_store_with_the_options_of_its_url(
    tmp_path: Path,
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/jobs.db"
    async with open_manager(f"{url}?jobcore_prefix=mail_") as jobs:
        await jobs.statistics()
    store = SQLJobStore(url, SQLOptions(prefix="mail_", auto_migrate=False))
    async with store:
        await store.statistics()
