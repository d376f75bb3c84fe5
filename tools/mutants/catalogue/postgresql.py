"""Rules that single statements keep, and that hold where many write at a time."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import HOST, POOL, POSTGRESQL, SINGLE

_CLAIM: Final = "jobcore_sql/single/claim.py"
_END: Final = "jobcore_sql/single/end.py"
_INSERT: Final = "jobcore_sql/single/insert.py"
_FOLD: Final = "jobcore_sql/single/fold.py"
_POOL: Final = "jobcore_sql/pool.py"
_STORE: Final = "jobcore_sql/store.py"
_SINGLE_TESTS: Final = "tests/jobcore_sql/test_single.py"


def _mutant(rule: str, file: str, old: str, new: str, *words: str) -> Mutant:
    return Mutant(f"postgresql: {rule}", file, old, new, {POSTGRESQL: words})


POSTGRESQLS: Final = (
    _mutant(
        "a claim takes what is not queued",
        _CLAIM,
        "IS_QUEUED, jobs.c.queue == _QUEUE",
        "jobs.c.queue == _QUEUE",
        "test_claim_leaves",
        "test_claim_hands",
    ),
    Mutant(
        "postgresql: a claim waits for what is locked",
        _CLAIM,
        ".with_for_update(skip_locked=True)",
        "",
        {HOST: ("passes_by",)},
    ),
    _mutant(
        "claims go by due time before priority",
        _CLAIM,
        '("priority", "due_at", "id")',
        '("due_at", "priority", "id")',
        "test_claim_takes",
        "test_claim_looks",
    ),
    _mutant(
        "a claim asks for no limit",
        _CLAIM,
        "~paused.exists() & ~limited.exists()",
        "~paused.exists()",
        "limit",
        "too_many",
    ),
    _mutant(
        "a claim asks for no pause",
        _CLAIM,
        "~paused.exists() & ~limited.exists()",
        "~limited.exists()",
        "pause",
    ),
    _mutant(
        "a claim keeps unique keys",
        _CLAIM,
        "            unique_lock=kept_lock(JobStatus.IN_PROGRESS),\n",
        "",
        "key",
        "random_work",
    ),
    _mutant(
        "a claim is not counted",
        _CLAIM,
        ".add_cte(count)",
        "",
        "statistics",
    ),
    _mutant(
        "an end asks for no token",
        _END,
        "jobs.c.id == new.c.id, jobs.c.token == token",
        "jobs.c.id == new.c.id",
        "apply_refuses",
    ),
    _mutant(
        "an end passes over a cancel request",
        _END,
        "    if unless_requested:\n",
        "    if False:\n",
        "cancel_request",
    ),
    _mutant(
        "an end leaves no receipt",
        _END,
        "each.receipt, *fields",
        "None, *fields",
        "apply_repeated",
        "receipt",
    ),
    _mutant(
        "an end keeps unique keys",
        _END,
        ", unique_lock=kept_lock(status)",
        "",
        "frees_the_key",
        "meets_a_key",
    ),
    _mutant(
        "an end is not counted",
        _END,
        ".add_cte(count)",
        "",
        "statistics",
    ),
    _mutant(
        "an insert is not counted",
        _INSERT,
        '.add_cte(stored, counted.cte("counted"))',
        ".add_cte(stored)",
        "statistics",
    ),
    _mutant(
        "an insert is due at once, whatever its delay",
        _INSERT,
        "NOW + new.c.delay, NOW)",
        "NOW)",
        "delay",
        "test_promote",
    ),
    _mutant(
        "an insert takes no unique key",
        _INSERT,
        "case((held, new.unique_key))",
        "case((~held, new.unique_key))",
        "unique",
    ),
    _mutant(
        "an insert leaves its labels behind",
        _INSERT,
        "if has_labels else answer",
        "if False else answer",
        "label",
    ),
    _mutant(
        "a backslash in a list of texts is written as it is",
        "jobcore_sql/lists.py",
        'texts.replace("\\\\", "\\\\\\\\")',
        "texts",
        "each_text_of_a_batch",
    ),
    _mutant(
        "a backslash in a list of bytes is written as it is",
        "jobcore_sql/lists.py",
        '.replace("\\\\", "\\\\\\\\"))\n',
        ")\n",
        "keeps_each_payload",
    ),
    _mutant(
        "a list of texts has none that are None",
        "jobcore_sql/bulk.py",
        "any(map(_goes_as_it_is, lists.values()))",
        "False",
        "each_text_of_a_batch",
    ),
    Mutant(
        "postgresql: jobs of a claim have one dictionary of labels",
        "jobcore_sql/statement.py",
        "if type(common[name]) is not dict:",
        "if True:",
        {SINGLE: ("may_be_changed",)},
    ),
    Mutant(
        "postgresql: what was locked for a moment is not tried again",
        _END,
        "_TRIES: Final = 2",
        "_TRIES: Final = 1",
        {SINGLE: ("second_statement",)},
    ),
    Mutant(
        "postgresql: renewals wait behind all other calls",
        "jobcore_sql/pool.py",
        "opened.renewing if renews else",
        "opened.connections if renews else",
        {POOL: ("renewed",)},
    ),
    _mutant(
        "what is locked is missing",
        "jobcore_sql/apply.py",
        "is_locked = transition.job_id in self._locked",
        "is_locked = False",
        "same_time",
        "concurrent_writes",
    ),
    _mutant(
        "two claims count the jobs of a key at a time",
        "jobcore_sql/gate.py",
        "if not self._transaction.dialect.has_one_writer:",
        "if False:",
        "under_concurrent_claims",
    ),
    _mutant(
        "a duty is given to two who ask at a time",
        "jobcore_sql/single/turn.py",
        "where=or_(due_at <= _AT_LAST, due_at > _AT_LAST + _INTERVAL),",
        "",
        "turn",
    ),
    Mutant(
        "postgresql: a turn is judged by the time when it was asked for",
        "jobcore_sql/single/turn.py",
        "func.clock_timestamp()",
        "func.statement_timestamp()",
        {SINGLE: ("turn",)},
    ),
    Mutant(
        "postgresql: who did not return is not forgotten",
        "jobcore_sql/single/seen.py",
        'return entered.add_cte(others.cte("forgotten"))',
        "return entered",
        {SINGLE: ("seen",)},
    ),
    Mutant(
        "postgresql: a fold forgets what was counted before",
        _FOLD,
        "counts.c.n + folded.excluded.n",
        "folded.excluded.n",
        {"tests/jobcore_sql/test_fold.py": ()},
    ),
    Mutant(
        "postgresql: a row that its handler has locked is lost",
        "jobcore_sql/renew.py",
        "locked = transaction.rows(_READ, ids=others) if others else []",
        "locked = []",
        {HOST: ("together",)},
    ),
    Mutant(
        "postgresql: a completed handler is cancelled",
        "jobcore/worker/slots.py",
        "if run and run.completes_itself and why is Interruption.LOST:",
        "if False:",
        {HOST: ("together",)},
    ),
    Mutant(
        "postgresql: nobody is told of what a transaction of the host's stores",
        "jobcore_sql/host.py",
        "        if queues and ",
        "        if False and ",
        {HOST: ("woken",)},
    ),
    Mutant(
        "postgresql: keys are taken in the order of a batch",
        _INSERT,
        "sorted(keyed, key=_key)",
        "keyed",
        {"tests/jobcore_sql/test_opposite_orders.py": ("inserts",)},
    ),
    Mutant(
        "postgresql: retries take keys in the order of a batch",
        "jobcore_sql/apply.py",
        "sorted(self._changes.items(), key=self._taken)",
        "self._changes.items()",
        {"tests/jobcore_sql/test_opposite_orders.py": ("retries",)},
    ),
    Mutant(
        "postgresql: a listener trusts that its connection would end",
        "jobcore_sql/listen.py",
        "asyncio.timeout(_CHECK)",
        "asyncio.timeout(None)",
        {"tests/jobcore_sql/test_listen.py": ("silent",)},
    ),
    Mutant(
        "postgresql: a repeated claim takes more",
        "jobcore_sql/claim.py",
        "if request.repeated and (own := _own(transaction, request)):",
        "if False and (own := _own(transaction, request)):",
        {"tests/tools/faults/test_cuts.py": ("claim",)},
    ),
    _mutant(
        "fire locks no schedule",
        "jobcore_sql/schedules.py",
        '.where(_c.name == bindparam("name")).with_for_update()',
        '.where(_c.name == bindparam("name"))',
        "won_by_one",
    ),
    _mutant(
        "an insert holds nothing",
        _INSERT,
        'if "held_by" in new.c:',
        "if False:",
        "insert_holds",
    ),
    Mutant(
        "postgresql: a deadlock undoes a single statement for good",
        _POOL,
        "                return None\n",
        "                raise\n",
        {_SINGLE_TESTS: ("deadlock",)},
    ),
    Mutant(
        "postgresql: an idle claim locks",
        _POOL,
        "if unless is not None:",
        "if unless is not None and single is None:",
        {_SINGLE_TESTS: ("only_looks",)},
    ),
    Mutant(
        "postgresql: a claim looks first in spite of news",
        _STORE,
        "            self._idle = False\n",
        "            pass\n",
        {_SINGLE_TESTS: ("after_news",)},
    ),
    Mutant(
        "postgresql: a deletion starts anew with each batch",
        _STORE,
        "since = until if swept == filter else None",
        "since = None",
        {"tests/jobcore_sql/test_find.py": ("batch",)},
    ),
    Mutant(
        "postgresql: a deletion never starts anew",
        _STORE,
        "(filter, deletion.until) if full else (None, None)",
        "(filter, deletion.until) if full else self._swept",
        {"tests/jobcore_sql/test_find.py": ("batch", "locked")},
    ),
)
