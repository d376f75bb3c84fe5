"""What is measured counts only if each job was started once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from works import UnsoundError, check_once


def test_each_job_started_once_is_sound() -> None:
    check_once("jobcore", [(1, 7), (0, 9)], 2)


@pytest.mark.parametrize("numbers", [[], [0], [0, 0, 1], [0, 1, 2]])
def test_a_job_that_is_missing_doubled_or_unknown_is_not(
    numbers: Sequence[int],
) -> None:
    with pytest.raises(UnsoundError):
        check_once("jobcore", [(number, 1) for number in numbers], 2)
