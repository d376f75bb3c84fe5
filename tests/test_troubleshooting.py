"""The page of troubleshooting is complete."""

from __future__ import annotations

import re
from pathlib import Path

from jobcore import Cause

PAGE = (Path(__file__).parents[1] / "docs" / "troubleshooting.md").read_text()


def codes(name: str) -> list[str]:
    """The codes in the first column of a table."""
    (table,) = re.findall(rf"<!-- {name} -->\n(.*?)\n\n", PAGE, re.DOTALL)
    firsts = [line.split("|")[1] for line in table.splitlines()[2:]]
    return [code for each in firsts for code in re.findall("`(.*?)`", each)]


def test_every_cause_is_explained_in_order() -> None:
    assert codes("causes") == [cause.value for cause in Cause]
