"""Rules that wrappers of stores keep themselves."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import CACHING, INSTRUMENTED, PARTITIONED, ROUTING

_CACHING: Final = "jobcore/wrappers/caching.py"
_MERGING: Final = "jobcore/wrappers/merging.py"
_OBSERVING: Final = "jobcore/wrappers/observing.py"
_PARTITIONED: Final = "jobcore/wrappers/partitioned.py"
_ROUTING: Final = "jobcore/wrappers/routing.py"

WRAPPERS: Final = (
    Mutant(
        "wrapper: an observer that fails is raised",
        _OBSERVING,
        "        except Exception:\n",
        "        except KeyError:\n",
        {INSTRUMENTED: ("observer",)},
    ),
    Mutant(
        "wrapper: nothing is told of a call that is cancelled",
        _OBSERVING,
        "except BaseException as error:",
        "except Exception as error:",
        {INSTRUMENTED: ("cancelled",)},
    ),
    Mutant(
        "wrapper: a job that has not ended is remembered",
        _CACHING,
        " and job.status in TERMINAL]",
        "]",
        {CACHING: ("ended", "test_claim")},
    ),
    Mutant(
        "wrapper: a write of its own does not show",
        _CACHING,
        "self._memory.forget(each.job_id for each in transitions)",
        "pass",
        {CACHING: ("retry", "refused", "unknown")},
    ),
    Mutant(
        "wrapper: what was read before a write is remembered after it",
        _CACHING,
        "if reading.may_tell(job.id):",
        "if True:",
        {CACHING: ("before_a_write",)},
    ),
    Mutant(
        "wrapper: what was read before a deletion of many is remembered after it",
        _CACHING,
        "            reading.written = None\n",
        "            pass\n",
        {CACHING: ("before_a_write",)},
    ),
    Mutant(
        "wrapper: being asked for makes a record younger",
        _CACHING,
        "                self._jobs[job_id, attempts] = entry\n",
        "                self._jobs[job_id, attempts] = entry[0], now\n",
        {CACHING: ("younger",)},
    ),
    Mutant(
        "wrapper: a limit key is led elsewhere by a unique key beside it",
        _ROUTING,
        "    if job.limit_key is None:\n",
        "    if True:\n",
        {ROUTING: ("refuses",)},
    ),
    Mutant(
        "wrapper: keys are spread like jobs without",
        _ROUTING,
        "    return 0\n",
        "    return _spread(job.id, stores)\n",
        {ROUTING: ("key",), PARTITIONED: ("key", "test_claim_starts")},
    ),
    Mutant(
        "wrapper: each store looks at as many entries as one may",
        _PARTITIONED,
        "most=left",
        "most=None",
        {PARTITIONED: ("entries", "bound")},
    ),
    Mutant(
        "wrapper: a repeated claim takes more from other stores",
        _PARTITIONED,
        "            if own.claims:\n",
        "            if False:\n",
        {PARTITIONED: ("repeated",)},
    ),
    Mutant(
        "wrapper: claims begin at the same store each time",
        _PARTITIONED,
        "next(self._turn) % len(self._stores)",
        "0",
        {PARTITIONED: ("begin",)},
    ),
    Mutant(
        "wrapper: a page shows what lies beyond the page of another store",
        _MERGING,
        "if seen is None or job.id >= seen",
        "if True",
        {PARTITIONED: ("find",)},
    ),
    Mutant(
        "wrapper: an error is raised while other stores are at work",
        _MERGING,
        "return_exceptions=True",
        "return_exceptions=False",
        {PARTITIONED: ("have_ended",)},
    ),
)
