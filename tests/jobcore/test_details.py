"""What a job carries is read whatever it is, and stays small."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobcore import Details, Progress

FULL = Details(
    deadline=timedelta(hours=1),
    expires_in=timedelta(minutes=1),
    correlation_id="order 7",
    progress=Progress(fraction=0.5, message="half"),
    checkpoint={"page": 7},
    once={"charge": [1, None]},
).logged(2, "begun")


def test_it_stays_the_same_as_text() -> None:
    assert Details.read(FULL.written()) == FULL


def test_nothing_is_no_text() -> None:
    assert Details().written() is None
    assert Details.read(None) == Details()


@pytest.mark.parametrize("text", [b"", b"7", b"{", b'{"deadline":"?"}', b"\xff\x00"])
def test_what_is_not_ours_tells_nothing(text: bytes) -> None:
    assert Details.read(text) == Details()


def test_what_a_newer_release_adds_is_kept() -> None:
    text = Details.read(b'{"newer":[1]}').changed(checkpoint=1).written()
    assert text is not None
    assert b'"newer":[1]' in text


def test_the_log_keeps_the_latest_lines() -> None:
    details = Details()
    for number in range(150):
        details = details.logged(number, f"{number}" + "x" * 1000)
    assert [line.attempt for line in details.log] == list(range(50, 150))
    assert {len(line.text) for line in details.log} == {500}


def test_who_starts_anew_forgets_what_attempts_left() -> None:
    newer = FULL.changed(newer=1)
    assert newer.anew() == Details(correlation_id="order 7", newer=1)  # type: ignore[call-arg]
