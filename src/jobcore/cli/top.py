"""Watching a store: its queues, its workers, and the tasks that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from jobcore.cli.looks import Look, look
from jobcore.cli.mistakes import MistakeError
from jobcore.cli.printing import Sheet, show
from jobcore.cli.store import StoreUrl, opened
from jobcore.cli.times import shown_instant

Parts = list[Sheet | str]
Draw = Callable[[Parts], None]


async def top(
    *,
    interval: timedelta = timedelta(seconds=2),
    once: bool = False,
    store: StoreUrl = None,
) -> None:
    """Watch queues, workers, and tasks that fail.

    On a terminal it is drawn again and again; elsewhere it is printed for each look.

    Parameters
    ----------
    interval
        How long it is from look to look, as in 5s.
    once
        Look for one interval, print what was seen, and end.
    """
    if interval <= timedelta(0):
        raise MistakeError("--interval", "must be longer than nothing")
    async with opened(store) as manager:
        earlier = await look(manager)
        with _drawing(once=once) as draw:
            if not once:
                draw(_parts(earlier, None))
            while True:
                await asyncio.sleep(interval.total_seconds())
                now = await look(manager)
                draw(_parts(now, earlier))
                if once:
                    return
                earlier = now


@contextmanager
def _drawing(*, once: bool) -> Iterator[Draw]:
    """What puts parts where they are looked at."""
    console = Console(highlight=False)
    if once or not console.is_terminal:
        yield lambda parts: show(*parts)
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        yield lambda parts: live.update(_group(parts), refresh=True)


def _group(parts: Parts) -> Group:
    return Group(*(x.table() if isinstance(x, Sheet) else Text(x) for x in parts))


def _parts(now: Look, earlier: Look | None) -> Parts:
    parts: Parts = [shown_instant(datetime.now(UTC)), "", now.queue_sheet(earlier)]
    if now.workers:
        parts += ["", now.worker_sheet()]
    if now.failed:
        parts += ["", now.failure_sheet()]
    return [*parts, ""]
