"""Tables of contestants as drawings: a bar for each, as long as its first figure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape

_TABLE: Final = re.compile(
    r"^\*\*(?P<title>[^*\n]+)\*\*\n\n"
    r"(?P<rows>\| contestant +\| (?:jobs/s|p50 ms) .*\n(?:\|.*\n?)+)",
    re.MULTILINE,
)
_HEIGHT: Final = 26
_LEFT: Final = 190
_LONGEST: Final = 420


def drawn(text: str, save: Callable[[int, str], str]) -> str:
    """*text* with a drawing below each table of contestants. *save* is given the number
    of a drawing and its SVG, and answers what leads to it."""
    number = 0

    def with_drawing(table: re.Match[str]) -> str:
        nonlocal number
        number += 1
        link = save(number, bars(table["title"], table["rows"]))
        return f"{table[0].rstrip()}\n\n![{table['title']}]({link})\n"

    return _TABLE.sub(with_drawing, text)


def bars(title: str, rows: str) -> str:
    """The SVG of a table, whose second column has the figures."""
    heading, _, *lines = (
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in rows.strip().splitlines()
    )
    figures = [(line[0], line[1], float(line[1].replace(",", ""))) for line in lines]
    most = max(figure for *_, figure in figures)
    height = _HEIGHT * (len(figures) + 1)
    drawing = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}"'
        ' role="img" font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="720" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" fill="#555">{escape(heading[1])}</text>',
    ]
    for place, (name, written, figure) in enumerate(figures, start=1):
        top, length = place * _HEIGHT, _LONGEST * figure / most
        colour = "#3f51b5" if name.startswith("jobcore") else "#9e9e9e"
        drawing += [
            f'<text x="{_LEFT - 8}" y="{top + 16}" text-anchor="end">{escape(name)}'
            "</text>",
            f'<rect x="{_LEFT}" y="{top + 3}" width="{length:.1f}" height="18"'
            f' fill="{colour}"/>',
            f'<text x="{_LEFT + length + 6:.1f}" y="{top + 16}">{written}</text>',
        ]
    return "\n".join([*drawing, "</svg>", ""])
