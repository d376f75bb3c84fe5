"""Examining a store: what is wrong with it, its server or its workers."""

from __future__ import annotations

from jobcore.cli.printing import Sheet, show
from jobcore.cli.store import StoreUrl, opened
from jobcore.finding import Severity


async def doctor(*, thoroughly: bool = False, store: StoreUrl = None) -> int:
    """Find what is wrong with the store, its server and its workers.

    The exit code is 1 where there is a problem; advice alone is none.

    Parameters
    ----------
    thoroughly
        Read all that is stored, too, and compare it with itself.
    """
    async with opened(store) as manager:
        findings = await manager.examine(thoroughly=thoroughly)
    if not findings:
        show("nothing is wrong")
        return 0
    headings = ("severity", "finding", "what is wrong", "what to do")
    rows = [(x.severity, x.code, x.sentence, x.remedy) for x in findings]
    show(Sheet(headings, rows))
    return int(any(each.severity is Severity.PROBLEM for each in findings))
