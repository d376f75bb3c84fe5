"""The example with an order and its mail in one transaction."""

from __future__ import annotations

from tests.examples.script import run
from tests.jobcore_sql import postgresql


def test_the_order_and_its_mail_are_stored_together() -> None:
    finished = run("orders.py", postgresql.url("18"))
    assert finished.stdout.splitlines() == [
        "told ada@example.org that a book was ordered",
        "shipped",
    ]
