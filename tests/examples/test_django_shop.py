"""The shop with Django, on PostgreSQL: its commands, a worker, and its views."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import anyio
import pytest

from tests.examples.script import EXAMPLES
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio

SHOP = EXAMPLES / "django_shop"
PLACE_ORDERS = """
import json, time, django
django.setup()
from django.db import connection, transaction
from django.test import Client
from shop.models import Order

client = Client(headers={"host": "localhost"})
placed = client.post("/orders", {"item": "a book"})
shown = client.get(placed.headers["Location"]).json()
ends_at = time.monotonic() + 20
while shown["status"] != "confirmed" and time.monotonic() < ends_at:
    time.sleep(0.02)
    shown = client.get(placed.headers["Location"]).json()

def jobs():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM jobs")
        return cursor.fetchone()[0]

there = jobs(), Order.objects.count()
with transaction.atomic():
    client.post("/orders", {"item": "a mistake"})
    within = jobs(), Order.objects.count()
    transaction.set_rollback(True)
after = jobs(), Order.objects.count()
print(json.dumps([placed.status_code, shown, there, within, after]))
"""


@pytest.fixture
async def store() -> AsyncIterator[str]:
    async with postgresql.another_database("18") as url:
        yield url


def variables(store: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": store.replace("+asyncpg", ""),
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "PYTHONPATH": str(SHOP),
    }


async def run(store: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    ran = await anyio.run_process(
        [sys.executable, *arguments], check=False, cwd=SHOP, env=variables(store)
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran


async def test_an_order_and_its_job_are_stored_together_and_the_worker_confirms_it(
    store: str,
) -> None:
    await run(store, "manage.py", "migrate", "--run-syncdb")
    worker = await anyio.open_process(
        [sys.executable, "manage.py", "work", "--concurrency", "2"],
        cwd=SHOP,
        env=variables(store),
        stdout=subprocess.DEVNULL,
    )
    async with worker:
        try:
            told = json.loads((await run(store, "-c", PLACE_ORDERS)).stdout)
        finally:
            os.kill(worker.pid, signal.SIGTERM)
        assert await worker.wait() == 0

    status, shown, before, within, after = told
    assert status == 202
    assert shown == {"id": 1, "item": "a book", "status": "confirmed"}
    assert (before, within, after) == ([1, 1], [2, 2], [1, 1])


async def test_its_own_tests_pass(store: str) -> None:
    told = (await run(store, "-W", "error", "manage.py", "test")).stderr.decode()
    assert "Ran 2 tests" in told
    assert "\nOK\n" in told
