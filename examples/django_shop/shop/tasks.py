"""What the shop does later: handlers use Django's models as views do."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from jobcore import JobContext, Tasks
from shop.models import Order

tasks = Tasks()


@tasks.job_resource
async def connections(_context: JobContext) -> AsyncIterator[None]:
    """Leave connections that broke, or are too old, as Django does around requests."""
    await sync_to_async(close_old_connections)()
    yield
    await sync_to_async(close_old_connections)()


@tasks.task(queue="orders", resources=[connections])
async def confirm(order_id: int) -> None:
    await Order.objects.filter(pk=order_id).aupdate(confirmed=True)
