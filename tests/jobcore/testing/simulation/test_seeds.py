"""Seeds that found something once, each with what it was. They are played as they are:
where the scenario changes, they play another history, and cost next to nothing."""

from __future__ import annotations

import pytest

from jobcore.testing.simulation import simulate

FOUND: list[tuple[int, str]] = [
    (1, "nothing: the first seed there is"),
    (1001884, "L5 took a worker for listed too long, whose clock had been set back"),
    (10004082, "S6 took the repeat of a claim whose reply was lost for another claim"),
]


@pytest.mark.parametrize(("seed", "what"), FOUND)
def test_what_a_seed_found_is_mended(seed: int, what: str) -> None:
    assert what
    simulate(seed).confirm()
