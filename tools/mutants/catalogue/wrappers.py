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
_SHARED: Final = "jobcore/wrappers/shared.py"

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
        "wrapper: what a tick of its own makes does not show",
        _CACHING,
        "            return await self._wrapped.fire(schedule, expected, jobs)\n"
        "        finally:\n"
        "            self._memory.forget(job.id for job in jobs)\n",
        "            return await self._wrapped.fire(schedule, expected, jobs)\n"
        "        finally:\n"
        "            pass\n",
        {CACHING: ("a_tick_under",)},
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
        "wrapper: who fires too late inserts",
        _SHARED,
        "if apart and not await self._is_at(schedule, expected):",
        "if False:",
        {PARTITIONED: ("fires_too_late",)},
    ),
    Mutant(
        "wrapper: a tick passes before its jobs are inserted",
        _SHARED,
        "        inserted = await self._insert(apart) if apart else []\n"
        "        fired = await self._kept.fire(schedule, expected, beside)\n",
        "        fired = await self._kept.fire(schedule, expected, beside)\n"
        "        inserted = await self._insert(apart) if apart else []\n",
        {PARTITIONED: ("cannot_be_inserted",)},
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
