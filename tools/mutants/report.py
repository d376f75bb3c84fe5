"""What became of mutants, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from tools.mutants.mutant import Mutant
from tools.mutants.trial import Verdict

HEAD = "| rule that was dropped | in | caught by |\n|---|---|---|"


def text(mutant: Mutant, verdict: Verdict) -> str:
    """Some lines for a terminal."""
    word = "caught  " if verdict.caught_in(mutant.places) else "SURVIVED"
    head = f"{word}  {mutant.rule} ({mutant.file}, {verdict.seconds:.1f} s)"
    return "\n            ".join([head, *_found(mutant, verdict)])


def row(mutant: Mutant, verdict: Verdict) -> str:
    """A row of a table in Markdown."""
    found = "<br>".join(_found(mutant, verdict))
    return f"| {mutant.rule} | `{mutant.file}` | {found} |"


def _found(mutant: Mutant, verdict: Verdict) -> Iterator[str]:
    for place in mutant.places:
        late = {each.timed_out for each in verdict.red if each.file == place}
        names = dict.fromkeys(each.name for each in verdict.red if each.file == place)
        said = ", ".join(names) or "**nothing**"
        stem = PurePath(place).with_suffix("").relative_to("tests")
        yield f"{stem}: {said}{' (timed out)' * (late == {True})}"
    if verdict.killed:
        yield "killed, as it did not end"
