"""Fold: what transactions appended to the counts becomes part of them."""

from __future__ import annotations

from collections import Counter
from typing import Final

from sqlalchemy import delete, select

from jobcore_sql.among import Among
from jobcore_sql.conflict import add_up
from jobcore_sql.single.fold import FEW
from jobcore_sql.tables import counts, deltas
from jobcore_sql.transaction import Transaction

_MANY: Final = 5000

_ENOUGH = select(deltas.c.n).offset(FEW).limit(1)
_SOME = select(deltas).limit(_MANY).with_for_update(skip_locked=True)
_DELETE = delete(deltas).where(Among(deltas.c.number, "numbers"))


def nothing_to_fold(transaction: Transaction) -> bool | None:
    """The answer where too little is appended to make it worth while."""
    return False if transaction.first(_ENOUGH) is None else None


def fold(transaction: Transaction) -> bool:
    """Fold some of what nobody else has locked."""
    rows = transaction.rows(_SOME)
    sums = Counter[tuple[str, str]]()
    for row in rows:
        sums[row.queue, row.status] += row.n
    added = [
        {"queue": queue, "status": status, "n": n}
        for (queue, status), n in sorted(sums.items())
    ]
    if added:
        transaction.write(add_up(transaction.dialect.insert, counts), *added)
        transaction.write(_DELETE, {"numbers": [row.number for row in rows]})
    return bool(added)
