"""What the page about operating says is so."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from jobcore.events import LEVELS

PAGE = (Path(__file__).parents[1] / "docs" / "operating.md").read_text()


def test_the_table_of_levels_is_the_one_of_the_code() -> None:
    table = PAGE.split("<!-- levels -->")[1].split("\n\n")[0]
    told = {
        kind: level
        for level, kinds in re.findall(r"^\| ([A-Z]+) \| (.*) \|$", table, re.MULTILINE)
        for kind in re.findall("`([^`]+)`", kinds)
    }
    assert told == {
        kind.value: logging.getLevelName(level) for kind, level in LEVELS.items()
    }
