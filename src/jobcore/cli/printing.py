"""What commands print: tables on a terminal, and else plain lines of cells and tabs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobcore.job import JobStatus

NOTHING: Final = "-"
"""What stands in a cell that is empty."""
_WIDEST: Final = 10_000
_STYLES: Final = {
    JobStatus.SCHEDULED.value: "cyan",
    JobStatus.QUEUED.value: "blue",
    JobStatus.HELD.value: "yellow",
    JobStatus.IN_PROGRESS.value: "bold",
    JobStatus.COMPLETED.value: "green",
    JobStatus.FAILED.value: "red",
    JobStatus.CANCELED.value: "dim",
}


@dataclass(frozen=True)
class Sheet:
    """Rows of cells, below headings if it has some."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    def lines(self) -> list[str]:
        """Its rows as text: their cells are padded, so that they stand below each
        other, and have tabs between them."""
        headings = [[each.upper() for each in self.headings]] if self.headings else []
        rows = [*headings, *map(_cells, self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return ["\t".join(map(str.ljust, row, widths)).rstrip() for row in rows]

    def table(self) -> Table:
        """The same for a terminal."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.show_header = bool(self.headings)
        for each in self.headings:
            table.add_column(each.upper(), header_style="bold", no_wrap=True)
        for row in self.rows:
            table.add_row(*(Text(each, _STYLES.get(each, "")) for each in _cells(row)))
        return table


def show(*parts: Sheet | str) -> None:
    """Print *parts* one after the other: sheets, and lines of text."""
    # As wide as it gets: a terminal folds lines, where a table would cut off ids.
    console = Console(highlight=False, width=_WIDEST) if sys.stdout.isatty() else None
    for each in parts:
        if console is None:
            lines = each.lines() if isinstance(each, Sheet) else [clean(each)]
            sys.stdout.writelines(f"{line}\n" for line in lines)
        else:
            console.print(
                each.table() if isinstance(each, Sheet) else Text(clean(each))
            )


def remark(text: str) -> None:
    """Say *text* to whoever looks on, apart from what is printed."""
    sys.stderr.write(f"{clean(text)}\n")


def clean(text: str) -> str:
    """The same without what would do something to a terminal."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )


def _cells(row: Sequence[str]) -> list[str]:
    return [clean(each) or NOTHING for each in row]
