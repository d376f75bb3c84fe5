"""How instants and lengths of time are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from jobcore.cli.times import shown_age, shown_instant, shown_length


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(0), "0.00 s"),
        (timedelta(seconds=-1), "0.00 s"),
        (timedelta(milliseconds=20), "0.02 s"),
        (timedelta(seconds=10), "10 s"),
        (timedelta(seconds=59.9), "1 min"),
        (timedelta(minutes=5, seconds=7), "5 min 7 s"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, seconds=7), "2 h"),
        (timedelta(days=400, hours=3, minutes=9), "400 d 3 h"),
    ],
)
def test_lengths_are_shown_in_their_two_largest_units(
    length: timedelta, shown: str
) -> None:
    assert shown_length(length) == shown


def test_instants_are_shown_in_utc() -> None:
    there = datetime(2026, 11, 27, 23, 1, 19, 5, timezone(timedelta(hours=1)))
    assert shown_instant(there) == "2026-11-27 22:01:19Z"
    assert shown_instant(None) == ""


def test_ages_are_of_what_was_and_of_what_is_to_come() -> None:
    now = datetime.now(UTC)
    assert shown_age(now - timedelta(minutes=2)).startswith("2 min")
    assert shown_age(now + timedelta(minutes=2)) in {"in 2 min", "in 1 min 59 s"}
    assert shown_age(None) == ""
