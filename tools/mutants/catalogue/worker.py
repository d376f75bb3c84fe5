"""Rules of the worker."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import RUN, SLOTS, WORKER

_LEASES: Final = "jobcore/worker/leases.py"
_REPORT: Final = "jobcore/worker/report.py"
_RUN: Final = "jobcore/worker/run.py"
_SLOTS: Final = "jobcore/worker/slots.py"
_LEASE_TESTS: Final = "tests/jobcore/worker/test_leases.py"

WORKERS: Final = (
    Mutant(
        "a worker keeps what no renewal confirms",
        _LEASES,
        "self._lease * 5 / 6",
        "self._lease * 1000",
        {_LEASE_TESTS: ()},
    ),
    Mutant(
        "a worker has no margin before its leases end",
        _LEASES,
        "self._lease * 5 / 6",
        "self._lease",
        {_LEASE_TESTS: ()},
    ),
    Mutant(
        "a lease counts from the reply",
        _LEASES,
        "token: sent_at if token",
        "token: asyncio.get_running_loop().time() if token",
        {_LEASE_TESTS: ()},
    ),
    Mutant(
        "leases are not renewed",
        _LEASES,
        "await self._jobs.renew(list(held.values()))",
        "await self._jobs.renew([])",
        {WORKER: ("lease",)},
    ),
    Mutant(
        "a handler goes on after its claim was lost",
        _LEASES,
        "            self._interrupt(claim, Interruption.LOST)\n",
        "",
        {WORKER: ("lost",)},
    ),
    Mutant(
        "a renewal does not deliver a request to cancel",
        _LEASES,
        "self._interrupt(claim, Interruption.CANCEL)",
        "pass",
        {RUN: ("on_request",)},
    ),
    Mutant(
        "a timeout is not enforced",
        _RUN,
        "timer = self._start_timer()",
        "timer: asyncio.TimerHandle | None = None",
        {RUN: ("too_long",)},
    ),
    Mutant(
        "a stop spends a retry",
        _RUN,
        "return Report(self.claim, Outcome.RELEASED)",
        "return Report(self.claim, Outcome.FAILED)",
        {WORKER: ("stopping",)},
    ),
    Mutant(
        "the outcome of a lost claim is reported",
        _RUN,
        "            case Interruption.LOST:\n                return None",
        "            case Interruption.LOST:\n"
        "                return Report(self.claim, Outcome.RELEASED)",
        {WORKER: ("lost_claim",)},
    ),
    Mutant(
        "an outcome is dropped in an outage",
        _REPORT,
        "self._send_later(report, self._pause)\n                return False\n",
        "pass\n",
        {WORKER: ("outage",)},
    ),
    Mutant(
        "a slot is not freed",
        _SLOTS,
        "self._runs.pop(run.key, None) is None",
        "False",
        {WORKER: ("never_runs_more",)},
    ),
    Mutant(
        "more handlers run than there are slots",
        _SLOTS,
        "busy = len(self._runs) >= self._concurrency\n        if",
        "busy = len(self._runs) > self._concurrency\n        if",
        {WORKER: ("slots",)},
    ),
    Mutant(
        "only the first of what waits is started",
        _SLOTS,
        "            self._loop.call_soon(self._fill)\n",
        "            pass\n",
        {SLOTS: ("fills_all",)},
    ),
    Mutant(
        "a stop keeps what was claimed ahead",
        _SLOTS,
        "            self._watch.cancel()\n        self._give_back_waiting()\n",
        "            self._watch.cancel()\n",
        {WORKER: ("stopping_gives_back",)},
    ),
    Mutant(
        "what was claimed ahead waits behind a long job",
        _SLOTS,
        "        if self._is_stalled():\n",
        "        if False:\n",
        {SLOTS: ("idle",)},
    ),
    Mutant(
        "a job that was lost before runs beside others",
        _SLOTS,
        "elif claim.job.losses:",
        "elif False:",
        {WORKER: ("suspect", "poison", "lost_before")},
    ),
    Mutant(
        "a claim that has ended is renewed for ever",
        _SLOTS,
        "        self.leases.drop(claims)\n",
        "",
        {SLOTS: ("reporting",)},
    ),
)
