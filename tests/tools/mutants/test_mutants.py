"""The mutants fit the sources, and one that drops no rule is said to survive."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from lupa.lua51 import LuaRuntime

from tools.mutants.catalogue import MUTANTS
from tools.mutants.mutant import MismatchError, Mutant
from tools.mutants.report import row, text
from tools.mutants.trial import ROOT, BrokenTrialError, check, compiled_sources

RATE = "tests/jobcore/test_rate.py"


@pytest.fixture(scope="module")
def sources() -> Path:
    return ROOT / "src"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.rule)
def test_a_mutant_fits_the_sources(mutant: Mutant, sources: Path) -> None:
    before = (sources / mutant.file).read_text()
    after = mutant.changed(before)
    assert after != before
    if mutant.file.endswith(".lua"):
        LuaRuntime().compile(after)
    else:
        compile(after, mutant.file, "exec")
    assert mutant.places
    assert all((ROOT / each).exists() for each in mutant.places)


def test_each_rule_is_dropped_once() -> None:
    assert max(Counter(each.rule for each in MUTANTS).values()) == 1


def test_a_mutant_that_does_not_fit_is_named() -> None:
    mutant = Mutant("any rule", "any.py", "same", "other", {})
    for odd in ("", "same same"):
        with pytest.raises(MismatchError, match=r"'any rule' does not fit any\.py"):
            mutant.changed(odd)


def test_a_mutant_is_caught_by_the_tests_that_go_red_and_survives_else() -> None:
    file, old = "jobcore/rate.py", "return ahead <= limit.burst * step"
    same = Mutant("no rule", file, old, f"{old}  # as before", {RATE: ("burst",)})
    other = Mutant("the rate", file, old, "return True", {RATE: ("burst",)})
    with compiled_sources() as sources:
        survived = check(sources, same, same.places)
        caught = check(sources, other, other.places)
        with pytest.raises(BrokenTrialError, match="no test is selected"):
            check(sources, same, {RATE: ("no such test",)})
    assert not survived.red
    assert not survived.caught_in(same.places)
    assert text(same, survived).startswith("SURVIVED  no rule")
    assert caught.caught_in(other.places)
    assert "test_a_burst_starts_at_once_and_no_more" in row(other, caught)


def test_a_test_that_waits_in_vain_goes_red_and_its_trial_ends() -> None:
    woken = next(each for each in MUTANTS if "wakes nobody" in each.rule)
    with compiled_sources() as sources:
        verdict = check(sources, woken, woken.places, patience=2)
    assert [each.timed_out for each in verdict.red] == [False]
    assert not verdict.killed
