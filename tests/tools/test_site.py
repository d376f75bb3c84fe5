"""The docs site: which pages it has, and where their links lead."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tools.site import ROOT, collect, place, section

CONFIG = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]


def write(root: Path, **files: str) -> None:
    for name, text in {"README": "", "CHANGELOG": "", **files}.items():
        (root / f"{name}.md").write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one page, which has one link."""
    for folder in ("docs/sub", "benchmarks", "examples"):
        (tmp_path / folder).mkdir(parents=True)
    write(tmp_path, README="## A heading, here\n\n[page](docs/page.md#a)\n")
    (tmp_path / "benchmarks/README.md").write_text("[more](../docs/page.md)")
    (tmp_path / "examples/hello.py").write_text("print()\n")
    return tmp_path


def shown(root: Path, page: str) -> str:
    collect(root, root / "pages")
    return (root / "pages" / page).read_text()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("[a](other.md#b)", "[a](other.md#b)"),
        ("[a](https://example.org/b.md)", "[a](https://example.org/b.md)"),
        ("[a](#b)", "[a](#b)"),
        ("a [b](../README.md#c)", "a [b](index.md#c)"),
        ("[a](../benchmarks/README.md)", "[a](benchmarks.md)"),
        ("[a](../examples/hello.py)", "[a](files/examples/hello.py.md)"),
        ("```py\nrows[0](../x.md)\n```", "```py\nrows[0](../x.md)\n```"),
        ("<!-- python\nx = 1\n-->\n```py\ny\n```", "```py\ny\n```"),
        ("```mermaid\ngraph\n```", "```text\ngraph\n```"),
        ("* a\n\n  b\n\n* c\n\nd", "* a\n\n    b\n\n* c\n\nd"),
        (
            "* a\n\n  b\n\n```text\n* c\n  d\n```",
            "* a\n\n    b\n\n```text\n* c\n  d\n```",
        ),
        ("* a\n\n  b\n* c\n* d", "* a\n\n    b\n\n* c\n* d"),
        ("1. a\n\n   ```sh\n   b\n   ```", "1. a\n\n    ```sh\n    b\n    ```"),
        ("[A heading](../README.md#a-heading-here)", "[page](page.md#a)"),
        ("```mermaid\nstateDiagram-v2\n```", "![the life of a job](life.svg)"),
    ],
)
def test_a_page_is_shown_with_its_links_as_they_are_there(
    root: Path, written: str, read: str
) -> None:
    (root / "docs/page.md").write_text(written)
    assert shown(root, "page.md") == read


def test_a_page_in_a_folder_leads_out_of_it(root: Path) -> None:
    (root / "docs/sub/page.md").write_text("[a](../../README.md) [b](../b.md)")
    assert shown(root, "sub/page.md") == "[a](../index.md) [b](../b.md)"


def test_a_file_that_is_linked_is_shown(root: Path) -> None:
    (root / "docs/page.md").write_text("[a](../examples/hello.py)")
    assert "```python\nprint()\n```" in shown(root, "files/examples/hello.py.md")


def test_a_folder_that_is_linked_is_listed(root: Path) -> None:
    (root / "docs/page.md").write_text("[a](../examples) [b](../docs)")
    assert shown(root, "page.md") == "[a](files/examples.md) [b](.)"
    listed = shown(root, "files/examples.md")
    assert listed == "# examples\n\n* [`hello.py`](examples/hello.py.md)\n"
    assert "print()" in shown(root, "files/examples/hello.py.md")


def test_a_section_that_is_not_there_is_told() -> None:
    with pytest.raises(LookupError, match="nowhere"):
        section("## Here\n", "nowhere")


def test_every_page_is_in_the_navigation() -> None:
    def pages(entry: Any) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        parts = entry.values() if isinstance(entry, dict) else entry
        return [page for part in parts for page in pages(part)]

    there = (each.relative_to(ROOT) for each in (ROOT / "docs").rglob("*.md"))
    written = {str(place(PurePosixPath(each))) for each in there}
    assert written <= set(pages(CONFIG["nav"]))


def test_readers_ask_no_other_server_for_anything() -> None:
    assert CONFIG["theme"]["font"] is False
    assert "analytics" not in CONFIG["extra"]
