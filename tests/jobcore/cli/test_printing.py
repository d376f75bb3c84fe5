"""What is printed, on a terminal and elsewhere."""

from __future__ import annotations

import sys

import pytest

from jobcore.cli.printing import Sheet, clean, show

SHEET = Sheet(("id", "status"), [("1", "failed"), ("two", "")])


def test_elsewhere_cells_are_padded_with_tabs_between_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(SHEET, "", Sheet((), [("a", "b")]))
    assert capsys.readouterr().out == ("ID \tSTATUS\n1  \tfailed\ntwo\t-\n\na\tb\n")


def test_a_sheet_without_rows_has_its_headings() -> None:
    assert Sheet(("id", "status"), []).lines() == ["ID\tSTATUS"]


def test_on_a_terminal_there_are_colours_and_nothing_is_cut_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show(Sheet(("id", "status"), [("x" * 100, "failed")]), "y" * 100)
    out = capsys.readouterr().out
    assert "x" * 100 in out
    assert "\x1b[31mfailed" in out
    assert "y" * 100 in out
    assert "\t" not in out


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("plain ä 漢", "plain ä 漢"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\tb\nc", r"a\tb\nc"),
        ("\u202e", r"\u202e"),
    ],
)
def test_text_cannot_move_a_terminal(text: str, harmless: str) -> None:
    assert clean(text) == harmless
