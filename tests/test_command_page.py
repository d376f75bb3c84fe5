"""What the page about the command shows is what its commands print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.command_page import PAGE, masked, place, prepared, replayed, sections

SECTIONS = sections(PAGE.read_text())


def test_there_is_a_section_for_each_store() -> None:
    assert SECTIONS.keys() == {"sqlite", "postgresql", "redis", "memory"}


@pytest.mark.parametrize("kind", SECTIONS)
def test_commands_print_what_the_page_shows(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBCORE_STORE_URL", "")
    monkeypatch.setattr("jobcore.registry._registered", {})
    with prepared(place(kind, tmp_path)) as url:
        now = replayed(SECTIONS[kind], url)
    assert masked(now) == masked(SECTIONS[kind])


def test_every_command_is_shown() -> None:
    told = replayed("```console\n$ jobcore --help\n```", "memory://")
    names = re.findall(r"^  ([a-z]\w+)", told.partition("Commands:\n")[2], re.MULTILINE)
    assert len(names) > 15
    assert [x for x in names if not re.search(rf"[` ]{x}[`\s]", PAGE.read_text())] == []
