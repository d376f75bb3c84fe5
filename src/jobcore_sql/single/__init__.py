"""Verbs in a single statement, for databases in which a query may write (PostgreSQL).

Each is tried first, outside of any transaction, and answers None where it changed
nothing that matters and the verb of the same name has to look closer: a job with a
limit, a claim that was lost, a key that is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from jobcore_sql import apply as whole_apply
from jobcore_sql import claim as whole_claim
from jobcore_sql import directory as whole_directory
from jobcore_sql import insert as whole_insert
from jobcore_sql.single.claim import claim as single_claim
from jobcore_sql.single.end import end as single_end
from jobcore_sql.single.insert import insert as single_insert
from jobcore_sql.single.seen import seen as single_seen
from jobcore_sql.single.turn import turn as single_turn

SINGLE: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    whole_apply.apply: single_end,
    whole_claim.claim: single_claim,
    whole_directory.seen: single_seen,
    whole_directory.turn: single_turn,
    whole_insert.insert: single_insert,
}
