"""A mutant: the sources with one rule dropped, and where that must be noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Places = Mapping[str, tuple[str, ...]]
"""Files of tests, each with the words of which the tests to run have one in their name;
no words select all of its tests."""


class MismatchError(Exception):
    """The text that a mutant replaces is not in the sources exactly once."""

    def __init__(self, mutant: Mutant, count: int) -> None:
        super().__init__(
            f"{mutant.rule!r} does not fit {mutant.file}: {mutant.old!r} is there "
            f"{count} times"
        )


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule less: *old* becomes *new* in a *file* of the sources. Tests in each of
    *places* must notice."""

    rule: str
    file: str
    old: str
    new: str
    places: Places = field(hash=False)

    def apply(self, sources: Path) -> None:
        """Change *sources*, whose files may be links to others'."""
        path = sources / self.file
        changed = self.changed(path.read_text())
        path.unlink()
        path.write_text(changed)
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink()

    def changed(self, text: str) -> str:
        """*text* with the rule dropped."""
        count = text.count(self.old)
        if count != 1:
            raise MismatchError(self, count)
        return text.replace(self.old, self.new)
