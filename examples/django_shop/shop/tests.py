"""Tests of the shop: `uv run manage.py test`."""

from django.db import connection
from django.test import TestCase, TransactionTestCase

from jobcore import Filter, open_manager
from jobcore.testing import assert_submitted, failing, run_until_idle
from shop.jobs import store_url
from shop.models import Order
from shop.tasks import confirm, tasks


class Placing(TestCase):
    """The transaction of a TestCase is rolled back, and shows its jobs by itself."""

    def test_an_order_is_stored_with_its_job(self) -> None:
        placed = self.client.post("/orders", {"item": "a book"})
        assert placed.status_code == 202
        with connection.cursor() as cursor:
            cursor.execute("SELECT task, queue FROM jobs")
            assert cursor.fetchall() == [("confirm", "orders")]


class Confirming(TransactionTestCase):
    """What is committed can be worked off, in the event loop of the test."""

    async def test_an_order_is_confirmed_though_it_fails_at_first(self) -> None:
        placed = await self.async_client.post("/orders", {"item": "a book"})
        async with open_manager(store_url()) as jobs:
            await assert_submitted(jobs, confirm, {"order_id": placed.json()["id"]})
            flaky = failing(tasks, confirm, OSError("no paper"), times=2)
            await run_until_idle(jobs, flaky, retries=True)
            await jobs.matching(Filter()).delete()
        order = await Order.objects.aget(pk=placed.json()["id"])
        assert order.confirmed
