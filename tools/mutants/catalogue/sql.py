"""Rules that the SQL store keeps itself."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import DATABASE, DIRECTORY, SCHEDULES, SQLITE, WAKE

_APPLY: Final = "jobcore_sql/apply.py"
_CLAIM: Final = "jobcore_sql/claim.py"
_CONTROL: Final = "jobcore_sql/control.py"
_ENDING: Final = "jobcore_sql/ending.py"
_FIND: Final = "jobcore_sql/find.py"
_GATE: Final = "jobcore_sql/gate.py"
_PROMOTE: Final = "jobcore_sql/promote.py"
_RENEW: Final = "jobcore_sql/renew.py"
_SCHEDULES: Final = "jobcore_sql/schedules.py"


def _mutant(rule: str, file: str, old: str, new: str, *words: str) -> Mutant:
    return Mutant(f"sql: {rule}", file, old, new, {SQLITE: words})


SQL: Final = (
    _mutant(
        "a repeated write is made twice",
        _APPLY,
        " or transition.came_before(row.receipt)",
        "",
        "apply_repeated",
    ),
    _mutant(
        "an end leaves no receipt",
        _APPLY,
        'effect["receipt"] = transition.receipt',
        "pass",
        "apply_repeated",
        "receipt",
    ),
    _mutant(
        "a token outlives its claim",
        _APPLY,
        'effect["token"] = None',
        "pass",
        "apply_ends",
        "renew_tells",
    ),
    _mutant(
        "a job that moves is counted where it was",
        _APPLY,
        'change.get("queue", row.queue)',
        "row.queue",
        "apply_moves",
    ),
    Mutant(
        "sql: a group of ends is counted where its jobs were",
        _ENDING,
        '        and "queue" not in transition.changes\n',
        "",
        {"tests/jobcore_sql/test_ending.py": ("moves",)},
    ),
    _mutant(
        "a group of ends asks for no token",
        _ENDING,
        ', jobs.c.token == bindparam("by")',
        ', bindparam("by").is_not(None)',
        "apply_refuses",
        "token",
    ),
    _mutant(
        "a group of ends passes over a cancel request",
        _ENDING,
        "_HELD_ON if kind.unless_requested else _HELD",
        "_HELD",
        "cancel_request",
        "requested",
    ),
    _mutant(
        "a group of ends leaves no receipt",
        _ENDING,
        "None, each.receipt",
        "None, None",
        "apply_repeated",
        "receipt",
    ),
    _mutant(
        "a group of ends keeps unique keys",
        _ENDING,
        "if any(locked for _, _, locked in held):",
        "if False:",
        "frees_the_key",
        "meets_a_key",
    ),
    _mutant(
        "a group of ends is not counted",
        _ENDING,
        "moves[queue, JobStatus.IN_PROGRESS, kind.status] += n",
        "pass",
        "statistics",
        "count",
    ),
    _mutant(
        "a claim takes what is not queued",
        _CLAIM,
        "_QUEUE = IS_QUEUED & (",
        "_QUEUE = (",
        "test_claim_leaves",
        "test_claim_hands",
    ),
    _mutant(
        "claims go by due time before priority",
        _CLAIM,
        "_PLACE = (jobs.c.priority, jobs.c.due_at, jobs.c.id)",
        "_PLACE = (jobs.c.due_at, jobs.c.priority, jobs.c.id)",
        "test_claim_takes",
        "test_claim_looks",
    ),
    _mutant(
        "the repeat of a claim takes more",
        _CLAIM,
        "if request.repeated and ",
        "if False and ",
        "test_claim_repeated",
    ),
    _mutant(
        "a paused queue is claimed from",
        _CLAIM,
        "if queue in gate.paused.queues:",
        "if False:",
        "pause",
    ),
    _mutant(
        "jobs of a paused task start",
        _GATE,
        'if job["task"] in self.paused.tasks:',
        "if False:",
        "pause",
    ),
    _mutant(
        "jobs of a full key start",
        _GATE,
        "if self.places(key, carried) == 0:",
        "if False:",
        "test_claim_starts",
        "test_claim_counts",
        "too_many",
    ),
    _mutant(
        "a start is not counted against its key",
        _GATE,
        "self._running[key] += 1",
        "pass",
        "test_claim_starts",
        "too_many",
    ),
    _mutant(
        "lift asks for no pause",
        _CONTROL,
        'if kind == "task" and name in gate.paused.tasks:',
        "if False:",
        "lift",
    ),
    _mutant(
        "lift lets go what waits for approval",
        _CONTROL,
        'if kind not in {"task", "limit"}:',
        "if False:",
        "approval",
    ),
    _mutant(
        "lift asks for no free place",
        _CONTROL,
        'if kind == "limit":',
        "if False:",
        "lift",
    ),
    _mutant(
        "renew asks for no token",
        _RENEW,
        " and rows[each.job_id].token == each.token",
        "",
        "renew",
    ),
    _mutant(
        "renew shortens a lease",
        _RENEW,
        "else_=jobs.c.lease_until",
        "else_=_UNTIL",
        "renew",
    ),
    _mutant(
        "renew keeps a request to cancel to itself",
        _RENEW,
        "if row.cancel_requested_at is not None",
        "if False",
        "renew",
    ),
    _mutant(
        "expired finds leases that run",
        _RENEW,
        'jobs.c.lease_until <= bindparam("now")',
        'jobs.c.created_at <= bindparam("now")',
        "expired",
    ),
    _mutant(
        "expired leaves out a lease that ends now",
        _RENEW,
        'jobs.c.lease_until <= bindparam("now")',
        'jobs.c.lease_until < bindparam("now")',
        "one_instant",
    ),
    _mutant(
        "a job is promoted before it is due",
        _PROMOTE,
        'jobs.c.due_at <= bindparam("now")',
        'jobs.c.created_at <= bindparam("now")',
        "promote",
    ),
    _mutant(
        "a job that is due now is not promoted",
        _PROMOTE,
        'jobs.c.due_at <= bindparam("now")',
        'jobs.c.due_at < bindparam("now")',
        "one_instant",
    ),
    _mutant(
        "fire asks for no revision",
        _SCHEDULES,
        "there.revision not in {expected, schedule.revision}",
        "False",
        "test_fire",
    ),
    _mutant(
        "fire enters a schedule in the place of another",
        _SCHEDULES,
        "transaction.add(schedules, [row])",
        "transaction.upsert(schedules, row)",
        "test_fire",
    ),
    _mutant(
        "the repeat of fire is refused",
        _SCHEDULES,
        "{expected, schedule.revision}",
        "{expected}",
        "test_fire",
    ),
    _mutant(
        "due schedules are asked by another clock",
        _SCHEDULES,
        "now, first = transaction.now,",
        "now, first = transaction.now - transaction.offset,",
        "due_schedules",
    ),
    Mutant(
        "sql: fire commits before it inserts",
        _SCHEDULES,
        "transaction.upsert(schedules, row)",
        'transaction.upsert(schedules, row); transaction.cursor.execute("COMMIT")',
        {SCHEDULES: ("refused",)},
    ),
    _mutant(
        "delete takes a job in progress",
        _FIND,
        ", ~IS_IN_PROGRESS]",
        "]",
        "delete",
    ),
    _mutant(
        "a cursor passes over jobs",
        _FIND,
        "found[-1].id if found else cursor",
        "lowest",
        "find_shows",
        "find_pages",
    ),
    _mutant(
        "the count of what a job left stays",
        "jobcore_sql/transaction.py",
        "deltas[queue, before] -= n",
        "pass",
        "statistics",
    ),
    _mutant(
        "a unique key is never freed",
        "jobcore_sql/records.py",
        "unique_key if status in scope else None",
        "unique_key",
        "frees_the_key",
    ),
    _mutant(
        "insert asks for no unique key",
        "jobcore_sql/insert.py",
        "if there is None and new.unique_key is not None:",
        "if False:",
        "insert_takes_a_key",
        "held_key",
    ),
    Mutant(
        "sql: nobody is told of a request to cancel",
        "jobcore_sql/wake.py",
        "queued or transaction.first(_REQUESTED, by=worker) is not None",
        "queued",
        {WAKE: ("cancel",)},
    ),
    Mutant(
        "sql: nobody is woken by a tick",
        "jobcore_sql/store.py",
        "self._wake_for(inserted or ())",
        "pass",
        {WAKE: ("own_process",)},
    ),
    Mutant(
        "sql: nobody is woken by the own process",
        "jobcore_sql/wake.py",
        "                rung.set()\n",
        "                pass\n",
        {WAKE: ()},
    ),
    Mutant(
        "sql: a duty is given to who asked before it was taken",
        "jobcore_sql/directory.py",
        "if now < due_at <= now + interval:\n        return False",
        "if False:\n        return False",
        {DIRECTORY: ()},
    ),
    Mutant(
        "sql: a write begins as a reader",
        "jobcore_sql/dialects/sqlite.py",
        '"BEGIN IMMEDIATE"',
        '"BEGIN"',
        {DATABASE: ()},
    ),
)
