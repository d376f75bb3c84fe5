"""Rules of schedules: which ticks count, and that each makes one job."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import MEMORY, RECURRING, SCHEDULE

_RECURRING: Final = "jobcore/recurring.py"
_SCHEDULE: Final = "jobcore/schedule.py"
_STORE: Final = "jobcore/store.py"
_MEMORY: Final = "jobcore/memory/schedules.py"

RECURRENCES: Final = (
    Mutant(
        "schedule: the id of a tick is drawn like any other",
        _STORE,
        "if tick is not None:",
        "if False:",
        {MEMORY: ("new_id",)},
    ),
    Mutant(
        "schedule: a task that nobody has is fired",
        _RECURRING,
        "if known is not None and schedule.task not in known:",
        "if False:",
        {RECURRING: ("no_worker",)},
    ),
    Mutant(
        "schedule: one that rests for what is wrong holds up others",
        _RECURRING,
        "        except JobcoreError as error:\n",
        "        except KeyError as error:\n",
        {RECURRING: ("cannot_be_read",)},
    ),
    Mutant(
        "schedule: a paused one has ticks",
        _SCHEDULE,
        "none = self.paused or ",
        "none = ",
        {RECURRING: ("paused",)},
    ),
    Mutant(
        "schedule: all that was missed makes a job",
        _SCHEDULE,
        "if now - first <= _LATE:",
        "if True:",
        {SCHEDULE: ("jump",)},
    ),
    Mutant(
        "schedule: one that is said again begins anew",
        _SCHEDULE,
        "same if same.recurrence == there.recurrence else same.resumed(now)",
        "same.resumed(now)",
        {SCHEDULE: ("same_rule",)},
    ),
    Mutant(
        "memory: fire asks for no revision",
        _MEMORY,
        "if revision not in {expected, schedule.revision}:",
        "if False:",
        {MEMORY: ("fire",)},
    ),
    Mutant(
        "memory: a repeated fire is refused",
        _MEMORY,
        "{expected, schedule.revision}",
        "{expected}",
        {MEMORY: ("fire_answers_a_repeat",)},
    ),
    Mutant(
        "memory: a schedule is due before its time",
        _MEMORY,
        "line[:limit] if due_at <= now)",
        "line[:limit] if due_at)",
        {MEMORY: ("due_schedules",)},
    ),
)
