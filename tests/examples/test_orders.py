"""The example with an order and its mail in one transaction."""

from __future__ import annotations

import asyncio

import pytest

from tests.examples.script import run
from tests.jobcore_sql import mysql, postgresql


@pytest.mark.parametrize(
    "kind", ["postgresql", pytest.param("mysql", marks=mysql.needed)]
)
def test_the_order_and_its_mail_are_stored_together(kind: str) -> None:
    if kind == "mysql":
        url = asyncio.run(mysql.url()).replace("mysql:", "mysql+asyncmy:")
    else:
        url = postgresql.url("18")
    finished = run("orders.py", store=url)
    assert finished.stdout.splitlines() == [
        "told ada@example.org that a book was ordered",
        "shipped",
    ]


def test_a_store_without_transactions_is_refused_by_name() -> None:
    finished = run("orders.py", store="memory://")
    assert finished.returncode == 1
    assert "does not support TransactionalStore" in finished.stderr
