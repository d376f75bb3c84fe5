"""How guarded writes are told to the script that makes them.

Most writes of a batch are alike but for a few values, so that what they have in common
is told once, as a kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic_core import to_json

from jobcore import TERMINAL, Transition
from jobcore_redis.filing import filed
from jobcore_redis.first import ranked
from jobcore_redis.record import changed
from jobcore_redis.units import microseconds, since_epoch

Text = str | bytes | int
Kind = tuple[Text, ...]


def _reason(value: str | None) -> Text:
    return "" if value is None else to_json(value)


_ENCODERS: Final[dict[str, Callable[[Any], Text]]] = {
    "failures": int,
    "losses": int,
    "reason": _reason,
    "result": changed,
    "error": changed,
    "extra": changed,
    "queue": str,
    "priority": ranked,
    "payload": bytes,
}


def written(transitions: Sequence[Transition]) -> list[Text]:
    """How many kinds there are, all of them, and the writes."""
    kinds: dict[Kind, int] = {}
    writes: list[Text] = []
    for each in transitions:
        kind = _kind(each)
        number = kinds.setdefault(kind, len(kinds) + 1)
        expect, attempt = each.expect, each.attempt
        ended = None if attempt is None else attempt.ended_at
        writes.append(
            "\t".join(
                (
                    str(number),
                    each.job_id,
                    expect.token or "",
                    "" if expect.generation is None else str(expect.generation),
                    each.token or "",
                    each.receipt or "",
                    "" if ended is None else str(since_epoch(ended)),
                )
            )
        )
        if attempt is not None and each.status not in TERMINAL:
            writes.append(filed(attempt))
        writes += [_ENCODERS[name](value) for name, value in each.changes.items()]
    return [len(kinds), *(part for kind in kinds for part in kind), *writes]


def _kind(each: Transition) -> Kind:
    expect, attempt = each.expect, each.attempt
    return (
        each.status,
        each.later or "",
        "" if each.delay is None else microseconds(each.delay),
        (attempt and attempt.outcome) or "",
        "" if each.cancel is None else int(each.cancel),
        int(each.next_generation),
        "" if expect.statuses is None else ",".join(sorted(expect.statuses)) or "-",
        int(expect.lease_expired),
        int(expect.no_cancel_request),
        int(attempt is not None),
        int(attempt is not None and each.status not in TERMINAL),
        ",".join(each.changes),
    )
