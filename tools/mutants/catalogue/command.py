"""Rules of the command."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant

_ACTING: Final = "jobcore/cli/acting.py"
_STOPPING: Final = "jobcore/cli/stopping.py"
_WORKER: Final = "jobcore/worker/worker.py"
_ACT_TESTS: Final = "tests/jobcore/cli/test_acts.py"
_STOP_TESTS: Final = "tests/acceptance/test_rolling_stop.py"

COMMANDS: Final = (
    Mutant(
        "who leaves a stopping worker hurries it",
        _WORKER,
        "        body, self._body = self._body, None\n        await self._finish()",
        "        body, self._body = self._body, None\n        await self.stop()",
        {"tests/jobcore/worker/test_worker.py": ("waits_for_its_grace",)},
    ),
    Mutant(
        "a second signal changes nothing",
        _STOPPING,
        "first = self._signals == 1",
        "first = True",
        {_STOP_TESTS: ("though_threads_go_on",)},
    ),
    Mutant(
        "a process may outlive its grace",
        _STOPPING,
        "        _end_process(_MARGIN + (self._grace if first else 0))\n",
        "",
        {_STOP_TESTS: ("keeps_the_event_loop",)},
    ),
    Mutant(
        "nobody is asked before jobs are changed",
        _ACTING,
        "if number and not self._is_sure(number):",
        "if number < 0:",
        {_ACT_TESTS: ("consent", "asked")},
    ),
    Mutant(
        "no filter means all jobs",
        _ACTING,
        "if self.which.is_empty and not (self.ids or self.consent.every):",
        "if self.ids is None:",
        {_ACT_TESTS: ("no_sense",)},
    ),
    Mutant(
        "an id that is wrong is passed by",
        _ACTING,
        "                await manager.get(each)\n",
        "                del each\n",
        {_ACT_TESTS: ("wrong",)},
    ),
    Mutant(
        "what a job does not allow is no failure",
        _ACTING,
        "            return 1\n        return 0",
        "            return 0\n        return 0",
        {_ACT_TESTS: ("allow",)},
    ),
    Mutant(
        "text moves a terminal",
        "jobcore/cli/printing.py",
        "if text.isprintable():",
        "if text:",
        {
            "tests/jobcore/cli/test_printing.py": ("terminal",),
            "tests/jobcore/cli/test_show.py": ("harmlessly",),
        },
    ),
    Mutant(
        "a problem is no reason to exit with 1",
        "jobcore/cli/doctor.py",
        "Severity.PROBLEM for",
        "Severity.ADVICE for",
        {"tests/jobcore/cli/test_doctor.py": ("sqlite",)},
    ),
)
