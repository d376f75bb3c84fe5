"""Rules of the manager: batches, calls, claims, ends, operators, and upkeep."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import (
    BATCHING,
    CALL_TIMEOUT,
    CALLS,
    CLAIMING,
    ENDING,
    MANAGER,
    MATCHING,
    OPERATING,
    POLLING,
    REPORT,
    SHIELD,
    SUBMISSION,
    SUBMITTING,
    UPKEEP,
)

_BATCHING: Final = "jobcore/batching.py"
_CALLS: Final = "jobcore/calls.py"
_CALL_TIMEOUT: Final = "jobcore/call_timeout.py"
_CLAIMING: Final = "jobcore/claiming.py"
_ENDING: Final = "jobcore/ending.py"
_MANAGER: Final = "jobcore/default_manager.py"
_SHIELD: Final = "jobcore/shield.py"
_SUBMITTING: Final = "jobcore/submitting.py"

MANAGERS: Final = (
    Mutant(
        "a batch is not split",
        _BATCHING,
        "if len(batch) > 1 and ",
        "if False and ",
        {BATCHING: (), SUBMITTING: ("fails_alone",)},
    ),
    Mutant(
        "a batch of reports is not split",
        _ENDING,
        "return await self._end_each(reports)",
        "raise",
        {REPORT: ("harms_no_other",)},
    ),
    Mutant(
        "a batch is split in an outage",
        _BATCHING,
        " and not isinstance(error, StoreUnavailableError)",
        "",
        {BATCHING: ()},
    ),
    Mutant(
        "a call ends with its caller",
        _CALLS,
        "return await self.start(verb)",
        "return await self._repeat(verb, self._patience)",
        {CALLS: ("cancel", "abandon")},
    ),
    Mutant(
        "closing does not wait for calls",
        _CALLS,
        "await self._shield.finish()",
        "pass",
        {CALLS: ("close",)},
    ),
    Mutant(
        "a task that an act begins is taken for shielded",
        _SHIELD,
        " or shielded is not asyncio.current_task()",
        "",
        {SHIELD: ("begins",)},
    ),
    Mutant(
        "finishing does not wait for what is done within others",
        _SHIELD,
        " or self._within_others:",
        ":",
        {SHIELD: ("finishing",)},
    ),
    Mutant(
        "only the first of the calls that are late ends",
        _CALL_TIMEOUT,
        "            call.cancel()",
        "            call.cancel()\n            return",
        {CALL_TIMEOUT: ("all_that_are_late",)},
    ),
    Mutant(
        "a call that began later has no end",
        _CALL_TIMEOUT,
        "                self._set(until)\n",
        "",
        {CALL_TIMEOUT: ("the_whole_time",)},
    ),
    Mutant(
        "a late call that is cancelled as well is not",
        _CALL_TIMEOUT,
        "if is_only_late and kind",
        "if kind",
        {CALL_TIMEOUT: ("cancelled_when_it_is_late",)},
    ),
    Mutant(
        "a manager that is closed stores nothing more",
        _SUBMITTING,
        "await self._calls.repeat(insert)",
        "await self._calls.call(insert)",
        {MANAGER: ("closing_is_cancelled",)},
    ),
    Mutant(
        "options are those of whoever had their place",
        "jobcore/submission.py",
        "known is None or known[0] != request.options",
        "known is None",
        {SUBMISSION: ("one_that_is_gone",)},
    ),
    Mutant(
        "a claim token is used again",
        _MANAGER,
        "            token=new_token(self._random),\n            worker=worker,",
        '            token="token",\n            worker=worker,',
        {CLAIMING: ("claim_takes",)},
    ),
    Mutant(
        "a repeated claim does not say so",
        _CLAIMING,
        "repeated=True",
        "repeated=False",
        {CLAIMING: ("reply",)},
    ),
    Mutant(
        "a claim is repeated for longer than its lease",
        _CLAIMING,
        ", patience=request.lease / 3",
        "",
        {CLAIMING: ("young",)},
    ),
    Mutant(
        "what a claim brings after its caller gave up stays claimed",
        _CLAIMING,
        "if answer.cancelled():",
        "if False:",
        {CLAIMING: ("gave_up", "cancelled")},
    ),
    Mutant(
        "what a claim had brought when its caller was cancelled is kept",
        _CLAIMING,
        "if not answer.cancelled() and answer.exception() is None:",
        "if False:",
        {CLAIMING: ("gave_up", "cancelled")},
    ),
    Mutant(
        "a locked job is not tried again",
        _ENDING,
        "if answer is not Answer.LOCKED:",
        "if True:",
        {ENDING: ("locked",), OPERATING: ("locked",)},
    ),
    Mutant(
        "an end that meets a cancel request is a lost claim",
        _ENDING,
        "if answer is Answer.CANCEL_REQUEST:",
        "if False:",
        {ENDING: ("request",)},
    ),
    Mutant(
        "an end leaves the place of its limit empty",
        _ENDING,
        "if key is not None and self._control is not None:",
        "if False:",
        {ENDING: ("place",)},
    ),
    Mutant(
        "an end wakes nobody who waits for it",
        _ENDING,
        "            event.set()\n",
        "            pass\n",
        {"tests/jobcore/test_awaiting.py": ()},
    ),
    Mutant(
        "two operators who retry both succeed",
        "jobcore/operating.py",
        "if job.generation != seen.generation:",
        "if False:",
        {OPERATING: ("retry",)},
    ),
    Mutant(
        "prune takes what is young",
        "jobcore/pruning.py",
        ", finished_for=age",
        "",
        {MANAGER: ("prune",)},
    ),
    Mutant(
        "prune stops after a batch",
        "jobcore/sweeping.py",
        "if deleted < BATCH or total == most:",
        "if True:",
        {MANAGER: ("prune",)},
    ),
    Mutant(
        "an operator's act takes away what the job carries",
        "jobcore/matching.py",
        "details.acted(act).written()",
        "Details().acted(act).written()",
        {MATCHING: ("operators_did",)},
    ),
    Mutant(
        "an operator's act overwrites what a worker left",
        "jobcore/matching.py",
        "if job.status is JobStatus.IN_PROGRESS:\n        return made",
        "if False:\n        return made",
        {MATCHING: ("left_to_its_worker",)},
    ),
    Mutant(
        "upkeep does a duty whose turn it is not",
        "jobcore/upkeep.py",
        "await self._jobs.turn(duty, interval / 2) and ",
        "",
        {UPKEEP: ("turn",)},
    ),
    Mutant(
        "each worker of a manager does its upkeep",
        "jobcore/upkeep.py",
        "async with turn, asyncio.TaskGroup()",
        "async with asyncio.TaskGroup()",
        {UPKEEP: ("another",)},
    ),
    Mutant(
        "upkeep does not hear of what this manager schedules",
        _ENDING,
        "if transition.delay:\n            self.scheduled.set()",
        "if transition.delay:\n            pass",
        {UPKEEP: ("notices",), MANAGER: ("woken",)},
    ),
    Mutant(
        "each worker of a manager polls for itself",
        "jobcore/polling.py",
        "            self._empty_at[frozenset(request.queues)] = asked_at\n",
        "            pass\n",
        {POLLING: ("many_idle", "longer_where")},
    ),
    Mutant(
        "a claim that left jobs in a queue puts off the next",
        "jobcore/polling.py",
        "len(result.claims) < request.limit and not result.bounded",
        "True",
        {POLLING: ("may_be_more",)},
    ),
)
