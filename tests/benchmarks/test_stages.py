"""The stages of a drain, told from the stacks that a profiler saw."""

from __future__ import annotations

from pathlib import Path

from stages import STAGES, counted

ROOT = Path(__file__).parents[2]
STACKS = """\
run (/x/asyncio/runners.py:190);_run (/x/src/jobcore/worker/slots.py:200);decode \
(/x/src/jobcore/arguments.py:80);validate (/x/lib/python3.11/site-packages/p/v.py:1) 3
run (/x/asyncio/runners.py:190);claim (/x/src/jobcore/memory/store.py:70);take \
(/x/src/jobcore/memory/line.py:20) 2
run (/x/asyncio/runners.py:190);select (/x/lib/python3.11/selectors.py:2) 4
_worker (/x/lib/python3.11/concurrent/futures/thread.py:81) 100
"""


def test_a_look_counts_for_the_innermost_stage() -> None:
    stages, functions = counted(STACKS.replace("\\\n", ""))
    assert stages == {"validate arguments": 3, "claim: the store": 2, "event loop": 4}
    assert functions == {
        "p/v.py:validate": 3,
        "jobcore/memory/line.py:take": 2,
        "selectors.py:select": 4,
    }


def test_every_file_with_a_stage_exists() -> None:
    files = [name.partition(":")[0] for name in STAGES]
    ours = [each for each in files if each.startswith("jobcore")]
    assert len(ours) > 10
    assert [each for each in ours if not (ROOT / "src" / each).exists()] == []
