"""Rules that the scripts of the Redis store keep, and what calls them."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import (
    REDIS,
    REDIS_DELETE,
    REDIS_MERGING,
    REDIS_MOVING,
    REDIS_REPLICAS,
    REDIS_SCHEDULES,
    REDIS_SCRIPTS,
)


def _in_lua(rule: str, script: str, old: str, new: str, *words: str) -> Mutant:
    """A rule of a script, which tests of the contract must miss."""
    file = f"jobcore_redis/lua/{script}.lua"
    return Mutant(f"redis: {rule}", file, old, new, {REDIS: words})


_APPLY: Final = (
    _in_lua(
        "a write asks for no token",
        "apply",
        "write_of.expected ~= '' and write_of.expected ~= state[TOKEN]",
        "false",
        "token_was_replaced",
        "token_that_was_never_given",
    ),
    _in_lua(
        "a repeated write is made twice",
        "apply",
        "write_of.receipt == '' or write_of.receipt ~= state[RECEIPT]",
        "true",
        "apply_repeated",
    ),
    _in_lua(
        "a write keeps no receipt",
        "apply",
        "state[RECEIPT] = write_of.receipt",
        "state[RECEIPT] = ''",
        "apply_repeated",
    ),
    _in_lua(
        "a write passes over a cancel request",
        "apply",
        "kind.no_request and state[REQUESTED] ~= ''",
        "false",
        "cancel_request",
    ),
    _in_lua(
        "a claim is lost while its lease runs",
        "apply",
        "if not till or tonumber(till) > now then",
        "if not till then",
        "refuses_to_lose",
    ),
    _in_lua(
        "a write asks for no status",
        "apply",
        "kind.statuses ~= '' and not has(kind.statuses, state[STATUS])",
        "false",
        "unexpected_status",
    ),
    _in_lua(
        "a write asks for no generation",
        "apply",
        "write_of.generation ~= '' and write_of.generation ~= state[GENERATION]",
        "false",
        "older_generation",
    ),
    _in_lua(
        "the next generation takes a key that is held",
        "apply",
        "      answer = 'unique_key'\n",
        "",
        "refuses_a_key_that_is_held",
    ),
    _in_lua(
        "what leaves a scope keeps its key",
        "_change",
        "state[LOCK] ~= '' and not has(state[SCOPE], state[STATUS])",
        "false",
        "frees_the_key",
    ),
    _in_lua(
        "what leaves a status is counted on",
        "_change",
        "  counted(state[QUEUE], state[STATUS], -1)\n",
        "",
        "statistics_are_exact",
    ),
)
_INSERT: Final = (
    _in_lua(
        "a known id is stored anew",
        "_insert",
        "local other = (known[i] or new[id]) and id\n",
        "local other = nil\n",
        "test_insert_answers_a_known_id",
        "test_insert_takes_an_id_once",
    ),
    _in_lua(
        "a unique key is taken twice",
        "_insert",
        "local kept = holders[name] or call('HGET', unique, name)",
        "local kept = holders[name]",
        "test_insert_answers_a_held_key",
    ),
    _in_lua(
        "a unique key is taken twice in a batch",
        "_insert",
        "local kept = holders[name] or call('HGET', unique, name)",
        "local kept = call('HGET', unique, name)",
        "test_insert_takes_a_key_once_in_one_batch",
    ),
    _in_lua(
        "new jobs are not counted",
        "_insert",
        "    call('HINCRBY', counts, name, number)\n",
        "",
        "test_statistics_count",
    ),
    _in_lua(
        "a job is queued before it is due",
        "_insert",
        "due > now and 'scheduled' or 'queued'",
        "'queued'",
        "test_insert_schedules",
    ),
    _in_lua(
        "claims go by due time before priority",
        "_insert",
        "= line .. at .. id",
        "= string.sub(line, 1, -6) .. at .. string.sub(line, -5) .. id",
        "test_claim_looks_at_priority",
    ),
)
_MOVING: Final = (
    _in_lua(
        "what is held from the beginning is queued",
        "_insert",
        "local status = holder and 'held' or due",
        "local status = due",
        "test_insert_holds",
    ),
    _in_lua(
        "a write leaves the first text as it was",
        "apply",
        "if kind.rewrites then",
        "if false then",
        "moves_a_waiting_job",
        "with_other_arguments",
    ),
    _in_lua(
        "what stays held forgets by what",
        "apply",
        "state[HOLDER] = status == 'held' and state[HOLDER] or ''",
        "state[HOLDER] = ''",
        "moves_a_held_job",
    ),
    _in_lua(
        "what waits for approval is lifted",
        "lift",
        "  elseif kind ~= 'task' then\n    return\n",
        "",
        "test_lift_leaves_what_is_held_for_approval",
    ),
    Mutant(
        "redis: what moves while it runs is counted where it was",
        "jobcore_redis/lua/apply.lua",
        "      counted(queue, status, -1)\n      counted(state[QUEUE], status, 1)\n",
        "",
        {REDIS_MOVING: ("while_it_runs",)},
    ),
)
_SCHEDULES: Final = (
    _in_lua(
        "fire compares no revision",
        "fire",
        "if there ~= expected and there ~= revision then",
        "if false then",
        "another_revision_is_there",
        "won_by_one",
    ),
    _in_lua(
        "a repeated fire is refused",
        "fire",
        "if there ~= expected and there ~= revision then",
        "if there ~= expected then",
        "test_fire_answers_a_repeat",
    ),
    _in_lua(
        "a tick that has passed stays due",
        "fire",
        "  call('ZREM', ticks, due_then .. name)\n",
        "",
        "test_fire_moves_a_schedule",
    ),
    _in_lua(
        "every tick has come",
        "due_schedules",
        "'(' .. instant(now + 1)",
        "'+'",
        "whose_time_has_come",
    ),
    Mutant(
        "redis: what is unscheduled stays due",
        "jobcore_redis/lua/unschedule.lua",
        "call('ZREM', ticks, (schedule_of(kept) or '') .. ARGV[1])\n",
        "",
        {REDIS_SCHEDULES: ("nothing_due",)},
    ),
    Mutant(
        "redis: a job that lies elsewhere comes in for any revision",
        "jobcore_redis/schedules.py",
        "if revision not in {expected, schedule.revision}:",
        "if False:",
        {REDIS_SCHEDULES: ("another_revision",)},
    ),
    Mutant(
        "redis: who fires tells the time by one machine",
        "jobcore_redis/merging.py",
        "now = max(each.now for each in answers)",
        "now = min(each.now for each in answers)",
        {REDIS_MERGING: ("as_late",)},
    ),
)
_CLAIM: Final = (
    _in_lua(
        "what is taken is counted as queued",
        "claim",
        "  counted(queue, 'queued', -#wanted)\n",
        "",
        "statistics_are_exact",
    ),
    _in_lua(
        "a repeated claim takes more",
        "claim",
        "if ARGV[7] == '1' then",
        "if false then",
        "test_claim_repeated",
    ),
    _in_lua(
        "a repeated claim brings what has ended",
        "claim",
        "if found[i] and found[i][TOKEN] == token then",
        "if found[i] then",
        "repeated_leaves_out",
    ),
    _in_lua(
        "a claim looks at everything",
        "claim",
        "math.min(limit - #taken, bound - examined)",
        "limit - #taken",
        "test_claim_stops_at_its_bound",
        "test_claim_has_one_bound",
    ),
    _in_lua(
        "a key runs any number of jobs",
        "claim",
        "if concurrency and busy[key] >= concurrency then",
        "if false then",
        "as_may_run",
    ),
    _in_lua(
        "a claim does not count what it starts",
        "claim",
        "  busy[key] = busy[key] + 1\n",
        "",
        "as_may_run",
    ),
    _in_lua(
        "a rate is not asked for",
        "claim",
        "    if math.max(mine[1], now) + step - now > burst * step then",
        "    if false then",
        "per_step_after_a_burst",
    ),
    _in_lua(
        "a start does not move the rate",
        "claim",
        "    mine[1] = math.max(mine[1], now) + step\n",
        "",
        "per_step_after_a_burst",
    ),
    _in_lua(
        "deferred jobs share an instant",
        "claim",
        "      mine[2] = earliest + step\n",
        "",
        "instants_of_their_own",
    ),
    _in_lua(
        "a paused queue is claimed from",
        "claim",
        "while not paused_queues[queue] and",
        "while",
        "passes_by_a_paused_queue",
    ),
    _in_lua(
        "a paused task is started",
        "claim",
        "if paused_tasks[state[TASK]] then",
        "if false then",
        "holds_jobs_of_a_paused_task",
    ),
)
_OTHERS: Final = (
    _in_lua(
        "a lease is shortened",
        "renew",
        "call('ZADD', leases, 'GT', unpack(",
        "call('ZADD', leases, unpack(",
        "never_shortens",
    ),
    _in_lua(
        "any token renews",
        "renew",
        "if token == ARGV[2 * i + 2] then",
        "if token and token ~= '' then",
        "test_renew_refuses",
    ),
    _in_lua(
        "running leases have expired",
        "expired",
        "'-inf', instant(now)",
        "'-inf', '+inf'",
        "test_expired_finds_nothing",
    ),
    _in_lua(
        "everything scheduled is due",
        "promote",
        "'(' .. instant(now + 1)",
        "'+'",
        "test_promote_leaves",
    ),
    _in_lua(
        "the smallest id is found first",
        "find",
        "call('ZREVRANGEBYLEX', ids, last, '-',",
        "call('ZRANGEBYLEX', ids, '-', '+',",
        "test_find_returns",
    ),
    _in_lua(
        "a full key is lifted",
        "lift",
        "    wish = math.min(wish, places(name, (figures(states_of({id})[1]))))\n",
        "",
        "test_lift_leaves_what_a_full_key_holds",
    ),
    _in_lua(
        "what is paused is lifted",
        "lift",
        "if kind == 'task' and call('SISMEMBER', pauses, holder) == 1 then",
        "if false then",
        "test_lift_leaves_what_a_pause_still_holds",
    ),
    _in_lua(
        "a duty is always due",
        "turn",
        "if now < due and due <= now + ARGV[3] then",
        "if false then",
        "test_turn_is_given",
    ),
    Mutant(
        "redis: what has changed since it was seen is deleted",
        "jobcore_redis/lua/delete.lua",
        "if (texts[i] or '') == seen[i] then",
        "if true then",
        {REDIS_DELETE: ("changed_since",)},
    ),
    _in_lua(
        "what a claim took is forgotten when its lease ends",
        "claim",
        "    if is_running(split(call('HGET', requests, each))) then",
        "    if false then",
        "test_claim_repeated_returns_jobs_whose_lease_ran_out",
    ),
    Mutant(
        "redis: who was not seen in time is listed",
        "jobcore_redis/directory.py",
        "            if text[:16] > at\n",
        "",
        {REDIS: ("test_workers_leave_out",)},
    ),
    Mutant(
        "redis: a script that was forgotten is not sent again",
        "jobcore_redis/server.py",
        'return await send("EVAL", wanted.text, *rest)',
        "raise",
        {REDIS_SCRIPTS: ("forgot",)},
    ),
    Mutant(
        "redis: too few replicas are enough",
        "jobcore_redis/server.py",
        "        if replicas < wanted:\n",
        "        if False:\n",
        {REDIS_REPLICAS: ("end_stands",)},
    ),
    Mutant(
        "redis: a repeat waits for no replica",
        "jobcore_redis/scripts.py",
        """mark = f"call('SET', {_MARK}, '')\\n" if waits else \"\"""",
        'mark = ""',
        {REDIS_REPLICAS: ("wrote_nothing",)},
    ),
)
REDISES: Final = (
    *_APPLY,
    *_INSERT,
    *_MOVING,
    *_SCHEDULES,
    *_CLAIM,
    *_OTHERS,
)
