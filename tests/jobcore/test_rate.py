"""The pace of a limit key: starts are evenly spaced, but for a burst."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from jobcore import Limit, Pace
from jobcore.checks import LONGEST, check_limit

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TWICE = Limit(rate=2, period=SECOND)


def test_a_start_makes_the_next_one_wait_for_a_step() -> None:
    assert Pace().may_start(TWICE, NOW)
    started = Pace().started(TWICE, NOW)
    assert not started.may_start(TWICE, NOW)
    assert not started.may_start(TWICE, NOW + 0.49 * SECOND)
    assert started.may_start(TWICE, NOW + 0.5 * SECOND)


def test_a_limit_without_a_rate_lets_every_job_start() -> None:
    limit, pace = Limit(concurrency=1), Pace()
    assert pace.started(limit, NOW) is pace
    assert pace.may_start(limit, NOW)


def test_a_burst_starts_at_once_and_no_more() -> None:
    limit, pace = Limit(rate=2, period=SECOND, burst=3), Pace()
    for _ in range(3):
        assert pace.may_start(limit, NOW)
        pace = pace.started(limit, NOW)
    assert not pace.may_start(limit, NOW)
    assert pace.may_start(limit, NOW + SECOND / 2)


def test_time_without_a_start_saves_up_no_more_than_the_burst() -> None:
    pace = Pace().started(TWICE, NOW)
    later = pace.started(TWICE, NOW + 100 * SECOND)
    assert not later.may_start(TWICE, NOW + 100 * SECOND)


def test_reservations_are_spread_and_do_not_enforce() -> None:
    pace, instants = Pace().started(TWICE, NOW), []
    for _ in range(4):
        pace, instant = pace.reserved(TWICE, NOW)
        instants.append((instant - NOW) / SECOND)
    assert instants == [0.5, 1, 1.5, 2]
    assert pace.may_start(TWICE, NOW + SECOND / 2)


def test_what_was_reserved_is_known_again() -> None:
    limit, pace, instants = Limit(rate=3, period=SECOND, burst=2), Pace(), set()
    for _ in range(2):
        pace = pace.started(limit, NOW)
    for _ in range(4):
        pace, instant = pace.reserved(limit, NOW)
        instants.add(instant)
    assert len(instants) == 4
    assert all(pace.has_reserved(limit, each) for each in instants)
    microsecond = timedelta(microseconds=1)
    assert not any(pace.has_reserved(limit, each + microsecond) for each in instants)
    assert not pace.has_reserved(limit, max(instants) + SECOND / 3)
    assert not pace.has_reserved(Limit(concurrency=1), max(instants))
    assert not Pace().has_reserved(limit, NOW)


def test_an_old_reservation_lets_the_next_one_be_now() -> None:
    pace, _ = Pace().reserved(TWICE, NOW)
    _, instant = pace.reserved(TWICE, NOW + 60 * SECOND)
    assert instant == NOW + 60 * SECOND


def test_any_number_of_reservations_stays_within_the_calendar() -> None:
    limit = check_limit("limit", Limit(rate=1, period=LONGEST))
    pace = Pace().started(limit, NOW)
    for _ in range(200):
        pace, instant = pace.reserved(limit, NOW)
        assert NOW < instant <= NOW + 2 * LONGEST


@settings(deadline=None)
@given(st.integers(1, 50), st.integers(1, 5), st.lists(st.integers(0, 400)))
def test_no_window_has_more_starts_than_rate_and_burst(
    rate: int, burst: int, pauses: list[int]
) -> None:
    limit, pace, now = Limit(rate=rate, period=SECOND, burst=burst), Pace(), NOW
    starts: list[datetime] = []
    for pause in pauses:
        now += timedelta(milliseconds=pause)
        if pace.may_start(limit, now):
            pace = pace.started(limit, now)
            starts.append(now)
    for first, start in enumerate(starts):
        within = [each for each in starts[first:] if each < start + SECOND]
        assert len(within) <= rate + burst
