"""Who lives and whose turn it is, where several processes share a file."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from jobcore_sql import SQLJobStore

pytestmark = pytest.mark.anyio


async def test_a_turn_is_given_to_one_of_two_who_saw_that_it_is_due(
    store: SQLJobStore, url: str, path: Path
) -> None:
    interval = timedelta(hours=1)
    async with SQLJobStore(url) as other:
        lock = sqlite3.connect(path)
        lock.execute("BEGIN IMMEDIATE")
        asked = [
            asyncio.create_task(each.turn("duty", interval)) for each in (store, other)
        ]
        await asyncio.sleep(0.1)  # both have looked by now, and wait for the lock
        lock.close()
        assert sorted(await asyncio.gather(*asked)) == [False, True]
