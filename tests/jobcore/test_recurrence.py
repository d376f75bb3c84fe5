"""Rules for instants that recur, and what of them is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from jobcore import Cron, Every, InvalidJobError, Misfire, Recurrence

MINUTE = timedelta(minutes=1)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def ticks(rule: Recurrence, after: datetime = SINCE, number: int = 3) -> list[datetime]:
    return list(islice(rule.ticks(after, SINCE), number))


def test_an_interval_counts_from_when_the_schedule_was_made() -> None:
    assert ticks(Every(MINUTE)) == [SINCE + n * MINUTE for n in (1, 2, 3)]


def test_an_interval_counts_from_its_start() -> None:
    start = SINCE + timedelta(seconds=90)
    rule = Every(MINUTE, start_at=start)
    assert ticks(rule) == [start, start + MINUTE, start + 2 * MINUTE]
    assert ticks(rule, start) == [start + n * MINUTE for n in (1, 2, 3)]


@pytest.mark.parametrize("seconds", [0, 1, 59.999999, 60, 60.000001, 10**8])
def test_ticks_of_an_interval_follow_any_instant(seconds: float) -> None:
    after = SINCE + timedelta(seconds=seconds)
    (first,) = ticks(Every(MINUTE), after, 1)
    assert after < first <= after + MINUTE
    assert (first - SINCE) % MINUTE == timedelta(0)


def test_an_interval_goes_on_when_the_clock_was_set_back() -> None:
    (first,) = ticks(Every(MINUTE), SINCE - timedelta(days=1), 1)
    assert first == SINCE + MINUTE


def test_cron_begins_at_its_start_and_ends_before_its_end() -> None:
    start, end = SINCE + timedelta(hours=2), SINCE + timedelta(hours=4)
    rule = Cron("@hourly", start_at=start, end_at=end)
    assert ticks(rule, number=9) == [start, start + timedelta(hours=1)]
    assert ticks(rule, end) == []


def test_nothing_ticks_beyond_what_can_be_stored() -> None:
    long = Every(timedelta(days=30_000))
    assert len(ticks(long, number=9)) == 2
    late = datetime(2199, 12, 31, 23, tzinfo=UTC)
    assert ticks(Cron("@hourly"), late) == []


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"interval": timedelta(0)}, "interval"),
        ({"interval": timedelta(milliseconds=999)}, "interval"),
        ({"interval": 5}, "interval"),
        ({"start_at": datetime(2026, 1, 1)}, "start_at"),  # noqa: DTZ001 - that is what is wrong
        ({"start_at": SINCE, "end_at": SINCE}, "end_at"),
        ({"max_runs": 0}, "max_runs"),
        ({"max_runs": True}, "max_runs"),
        ({"jitter": timedelta(-1)}, "jitter"),
    ],
)
def test_odd_rules_are_refused(options: dict[str, object], field: str) -> None:
    given: dict[str, object] = {"interval": MINUTE, **options}
    with pytest.raises(InvalidJobError) as caught:
        Every(**given)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("window", "most"), [(timedelta(-1), 1), (None, 0), (None, 1001), (5, 1)]
)
def test_odd_policies_for_misfires_are_refused(window: object, most: int) -> None:
    with pytest.raises(InvalidJobError, match=r"^misfire"):
        Misfire(window, most)  # type: ignore[arg-type]
