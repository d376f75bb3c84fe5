"""Tables of contestants as drawings."""

from __future__ import annotations

import re

from tools.bars import bars, drawn

TABLE = """| contestant | jobs/s | jobcore is |
| --- | --- | --- |
| jobcore | 2,000 | 1.00 x |
| a < b | 500.5 | 4.00 x |
"""


def test_a_bar_is_as_long_as_its_figure() -> None:
    drawing = bars("a race", TABLE)
    lengths = re.findall(r'width="([\d.]+)" height="18"', drawing)
    assert float(lengths[0]) == 420
    assert float(lengths[1]) == 105.1
    assert "a &lt; b" in drawing
    assert ">2,000<" in drawing


def test_drawings_stand_below_their_tables() -> None:
    saved = dict[int, str]()

    def save(number: int, drawing: str) -> str:
        saved[number] = drawing
        return f"{number}.svg"

    text = f"before\n\n**a race**\n\n{TABLE}\nafter\n\n| other |\n|---|\n| table |\n"
    assert drawn(text, save) == text.replace("\nafter", "\n![a race](1.svg)\n\nafter")
    assert list(saved) == [1]
