"""Code on the pages of docs that says which file it is from is there, word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INCLUDED = [
    pytest.param(page.name, source, code, id=f"{page.stem}-{number}")
    for page in sorted((ROOT / "docs").glob("*.md"))
    for number, (source, code) in enumerate(
        re.findall(
            r"<!-- ((?:examples|tests)/\S+) -->\n```\w+\n(.*?)\n```",
            page.read_text(),
            re.DOTALL,
        )
    )
]


@pytest.mark.parametrize(("page", "source", "code"), INCLUDED)
def test_code_is_that_of_its_file(page: str, source: str, code: str) -> None:
    text = (ROOT / source).read_text()
    assert code in text, f"{page} shows what {source} does not have"


def test_some_code_is_included() -> None:
    """What finds it may be wrong, too."""
    assert {each.values[0] for each in INCLUDED} >= {"integrations.md", "testing.md"}
