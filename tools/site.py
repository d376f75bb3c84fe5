"""The docs site: the pages of `docs`, and what they lead to, for Zensical to build.

    uv run --group docs python -m tools.site

It writes `build/pages`, and makes `build/site` of them. A link that leads out of `docs`
leads to a page as well, which shows that file. A line that is nothing but a link to a
heading of such a file stands for what is under that heading, and tables of contestants
are drawn. The exit code is 1 where a link leads nowhere, or a docstring is not found.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from tools.bars import drawn

ROOT: Final = Path(__file__).parents[1]
BUILD: Final = ROOT / "build" / "pages"
DOCS: Final = PurePosixPath("docs")
ELSEWHERE: Final = {
    PurePosixPath("README.md"): PurePosixPath("index.md"),
    PurePosixPath("CHANGELOG.md"): PurePosixPath("changelog.md"),
    PurePosixPath("benchmarks/README.md"): PurePosixPath("benchmarks.md"),
}
"""Pages of the site that are not in `docs`, and where they are there."""

_FENCED: Final = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_COMMENT: Final = re.compile(r"^ *<!--.*?-->\n", re.MULTILINE | re.DOTALL)
_ITEM: Final = re.compile(r"([*-]|\d+\.) +")
_LINK: Final = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)(?=[#)])")
_SECTION: Final = re.compile(r"^\[[^\]]*\]\((\.\./[^)\s#]+)#([^)\s]+)\)$", re.MULTILINE)
_DRAWN: Final = re.compile(
    r"^```mermaid\nstateDiagram-v2\n.*?^```$", re.MULTILINE | re.DOTALL
)
_LANGUAGES: Final = {".py": "python", ".toml": "toml"}


def place(file: PurePosixPath) -> PurePosixPath:
    """Where on the site *file* is, a path within the repository."""
    if file in ELSEWHERE:
        return ELSEWHERE[file]
    if file.is_relative_to(DOCS):
        return file.relative_to(DOCS)
    shown = file if file.suffix == ".md" else file.with_name(f"{file.name}.md")
    return PurePosixPath("files") / shown


def target(file: PurePosixPath, link: str) -> PurePosixPath:
    """The file that a *link* in *file* leads to."""
    return PurePosixPath(os.path.normpath(file.parent / link))


def section(text: str, anchor: str) -> str:
    """What is under the heading of *text* that *anchor* leads to."""
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        if re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) == anchor:
            return body.strip()
    raise LookupError(anchor)


def relinked(text: str, file: PurePosixPath, page: PurePosixPath) -> str:
    """*text* of *file* with its links as they are on *page*."""

    def moved(link: re.Match[str]) -> str:
        return os.path.relpath(place(target(file, link[1])), page.parent)

    parts = _FENCED.split(text)
    parts[::2] = [_LINK.sub(moved, part) for part in parts[::2]]
    return "".join(parts)


def indented(text: str) -> str:
    """*text* with what belongs to items of lists four spaces further right, and a gap
    after an item that has one in it: so Zensical knows lists."""
    lines: list[str] = []
    below, gap, fenced = 0, False, False
    for line in text.split("\n"):
        fenced ^= line.startswith("```")
        item = None if fenced else _ITEM.match(line)
        if item:
            if below and gap and lines[-1]:
                lines.append("")
            below, gap = item.end(), False
        elif line and not line.startswith(" "):
            below = 0
        gap = gap or not line
        inside = below and line.startswith(" " * below)
        lines.append(f"{'':4}{line[below:]}" if inside else line)
    return "\n".join(lines)


def markdown(root: Path, file: PurePosixPath) -> str:
    """What there is to show of *file*, or of a folder."""
    path = root / file
    if path.is_dir():
        names = sorted(each.name for each in path.iterdir() if each.name[0] not in "._")
        listed = "\n".join(f"* [`{name}`]({file.name}/{name})" for name in names)
        return f"# {file.name}\n\n{listed}\n"
    text = path.read_text()
    if file.suffix == ".md":
        return text
    language = _LANGUAGES.get(file.suffix, "text")
    return f"# {file.name}\n\n`{file}`\n\n```{language}\n{text.rstrip()}\n```\n"


def page_of(file: PurePosixPath, text: str, root: Path) -> str:
    """The page of *file*, which says *text*."""
    page = place(file)

    def included(link: re.Match[str]) -> str:
        source = target(file, link[1])
        found = section(markdown(root, source), link[2])
        return relinked(found, source, page)

    drawing = os.path.relpath(place(DOCS / "life.svg"), page.parent)
    parts: list[str] = []
    at = 0
    for link in _SECTION.finditer(text):
        parts += [relinked(text[at : link.start()], file, page), included(link)]
        at = link.end()
    whole = "".join([*parts, relinked(text[at:], file, page)])
    seen = _DRAWN.sub(f"![the life of a job]({drawing})", _COMMENT.sub("", whole))
    # Other diagrams are shown as text: what draws them would come from elsewhere.
    return indented(seen.replace("```mermaid\n", "```text\n"))


def links(file: PurePosixPath, text: str) -> Iterator[PurePosixPath]:
    """The files and folders that *text* of *file* leads to."""
    for part in _FENCED.split(text)[::2]:
        yield from (target(file, link[1]) for link in _LINK.finditer(part))


def collect(root: Path, build: Path) -> None:
    """Write the pages of the repository at *root* into the folder *build*."""
    shutil.rmtree(build, ignore_errors=True)
    found = [PurePosixPath(each.relative_to(root)) for each in (root / DOCS).rglob("*")]
    waiting = [each for each in found if (root / each).is_file()] + list(ELSEWHERE)
    seen = {*waiting, DOCS}
    while waiting:
        file = waiting.pop()
        written = build / place(file)
        written.parent.mkdir(parents=True, exist_ok=True)
        if file.is_relative_to(DOCS) and file.suffix != ".md":
            shutil.copy(root / file, written)
            continue
        text = markdown(root, file)
        written.write_text(drawn(page_of(file, text, root), partial(_save, written)))
        new = set(links(file, text)) - seen
        waiting += [each for each in new if (root / each).exists()]
        seen |= new


def _save(page: Path, number: int, drawing: str) -> str:
    file = page.with_name(f"{page.stem}-{number}.svg")
    file.write_text(drawing)
    return file.name


def main() -> int:
    collect(ROOT, BUILD)
    zensical = ["zensical", "build", "--clean", "--strict"]
    plain = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(zensical, cwd=ROOT, env=plain, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
