"""`manage.py work`: a process that runs jobs until it is told to stop."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobcore import Worker, open_manager
from shop.jobs import store_url
from shop.tasks import tasks


class Command(BaseCommand):
    help = "Run jobs until SIGINT or SIGTERM; those that run then have time to end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, help="jobs at a time")

    def handle(self, **options: Any) -> None:
        asyncio.run(work(options["concurrency"]))


async def work(concurrency: int | None) -> None:
    stopping = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stopping.set)
    async with (
        open_manager(store_url()) as jobs,
        Worker(jobs, tasks, concurrency=concurrency),
    ):
        await stopping.wait()
