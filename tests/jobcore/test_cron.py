"""Expressions of cron: what is refused and where, and when the others tick."""

from __future__ import annotations

from calendar import day_abbr, month_abbr
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from random import Random
from zoneinfo import ZoneInfo

import pytest

from jobcore import cron
from jobcore.errors import InvalidJobError

NUMBER_OF_FIELDS = (
    *("", " ", "*", "* *", "* * *", "* * * *", "* * * * * *", "0 0 * * * * *"),
    *("@", "@reboot", "@every 5m", "@dailyy", "@daily 5", "daily", "every minute"),
)
FIELDS = {
    1: (
        *("60", "-1", "1-60", "5-1", "*/0", "*/61", "*/", "/5", "1-", "-5", "1--5"),
        *("1,,2", ",1", "1,", "a", "1a", "1.5", "1-5-9", "*5", "5*", "**", "*-5"),
        *("?", "L", "W", "1/2/3", "*/-1", "+1", "0x1", "1e1", "\u0661", "\u00bd"),
        *("1;2", "1|2", "~5", "H", "{1}", "$1", "%", "\\1", "'1'", "JAN", "MON"),
        *("100", "5-5/2"),
    ),
    2: ("24", "0-24", "23-1", "*/25", "*/0", "noon", "12PM", "1h", "-", ","),
    3: ("0", "32", "1-32", "LL", "WL", "L-1", "15W", "*/32", "1#2", "MON", "L/2"),
    4: ("0", "13", "1-13", "JANU", "JA", "FOO", "JAN-", "DEC-JAN", "*/13", "L", "MAI"),
    5: ("8", "1-8", "MO", "MOND", "SAT-SUN", "MON#0", "MON#6", "MON#", "#1", "L"),
}
ODD = (
    *NUMBER_OF_FIELDS,
    *(
        " ".join(["*"] * (place - 1) + [text] + ["*"] * (5 - place))
        for place, texts in FIELDS.items()
        for text in texts
    ),
    *("0 0 30 2 *", "0 0 31 2 *", "0 0 31 4,6,9,11 *", "0 0 30 feb */2"),
    *("* " * 200, "0 0 1 1 * " + "0" * 255, "0\u00a00 1 1 *", "0 0 1 1 \uff0a"),
)


def test_a_hundred_are_tried() -> None:
    assert len(set(ODD)) >= 100


@pytest.mark.parametrize("expression", ODD)
def test_odd_expressions_are_refused(expression: str) -> None:
    with pytest.raises(InvalidJobError, match=r"^cron "):
        cron.check(expression)


@pytest.mark.parametrize("value", [None, 5, b"* * * * *", ["*"] * 5])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises((InvalidJobError, TypeError)):
        cron.check(value)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("61 * * * *", "cannot have '61' as field 1, minute"),
        ("* 5-1 * * *", "cannot have '5-1' as field 2, hour"),
        ("* * 1,32 * *", "cannot have '1,32' as field 3, day of month"),
        ("* * * foo *", "cannot have 'FOO' as field 4, month"),
        ("* * * * mon#6", "cannot have 'MON#6' as field 5, day of week"),
        ("0 0 30 2 *", "never comes: '0 0 30 2 *'"),
    ],
)
def test_it_is_told_which_field_is_wrong(expression: str, told: str) -> None:
    with pytest.raises(InvalidJobError) as caught:
        cron.check(expression)
    assert caught.value.problem == told


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        (" @Midnight ", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("0 9-17/2 * jan,Mar mon-fri", "0 9-17/2 * JAN,MAR MON-FRI"),
    ],
)
def test_names_stand_for_fields(name: str, fields: str) -> None:
    assert cron.check(name) == fields


@pytest.mark.parametrize(
    "zone", ["", "Berlin", "Europe/berlin ", "../etc", "/etc/localtime", 5, "UTC\0"]
)
def test_what_is_no_zone_is_refused(zone: object) -> None:
    with pytest.raises(InvalidJobError, match=r"^zone must be the IANA name"):
        cron.zone_of(zone)


def ticks(expression: str, zone: str, begin: datetime, end: datetime) -> list[str]:
    """The ticks between two local instants, as the clocks of the zone show them."""
    place = ZoneInfo(zone)
    after = begin.replace(tzinfo=place) - timedelta(seconds=1)
    found: list[str] = []
    for tick in cron.ticks(expression, zone, after):
        if tick >= end.replace(tzinfo=place):
            return found
        found.append(tick.astimezone(place).strftime("%d %H:%M%z"))
    return found


# At two the clocks go to three, and back from three to two; on the island half an hour
# is left out, and comes twice; in Casablanca they go back when Ramadan begins, and
# forward when it has ended.
DAYS = """
Europe/Berlin 2026-03-28 30 2 : 28 02:30+0100, 29 03:00+0200, 30 02:30+0200
Europe/Berlin 2026-10-24 30 2 : 24 02:30+0200, 25 02:30+0200, 26 02:30+0100
America/New_York 2026-03-07 15 2 : 07 02:15-0500, 08 03:00-0400, 09 02:15-0400
America/New_York 2026-10-31 15 1 : 31 01:15-0400, 01 01:15-0400, 02 01:15-0500
Australia/Lord_Howe 2026-10-03 15 2 : 03 02:15+1030, 04 02:30+1100, 05 02:15+1100
Australia/Lord_Howe 2026-04-04 45 1 : 04 01:45+1100, 05 01:45+1100, 06 01:45+1030
Africa/Casablanca 2026-02-14 30 2 : 14 02:30+0100, 15 02:30+0100, 16 02:30+0000
Africa/Casablanca 2026-03-21 30 2 : 21 02:30+0000, 22 03:00+0100, 23 02:30+0100
""".strip().splitlines()


@pytest.mark.parametrize("day", DAYS)
def test_a_fixed_hour_ticks_once_on_each_local_day(day: str) -> None:
    given, _, told = day.partition(" : ")
    zone, begin, minute, hour = given.split()
    first = datetime.fromisoformat(begin)
    found = ticks(f"{minute} {hour} * * *", zone, first, first + timedelta(days=3))
    assert ", ".join(found) == told


@pytest.mark.parametrize("day", sorted({day[: day.index(" : ") - 5] for day in DAYS}))
def test_intervals_tick_by_the_time_that_passes(day: str) -> None:
    zone, begin = day.split()[:2]
    first = datetime.fromisoformat(begin).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = first + timedelta(days=2)
    for expression, minutes in {"*/10 * * * *": 10, "*/30 * * * *": 30}.items():
        later = cron.ticks(expression, zone, first)
        found = list(takewhile(lambda tick: tick < end, later))
        gaps = {other - one for one, other in pairwise(found)}
        assert gaps == {timedelta(minutes=minutes)}


def test_two_ticks_of_the_hour_that_is_left_out_are_one() -> None:
    first = datetime(2026, 3, 29)  # noqa: DTZ001 - of the clocks there
    found = ticks("0,30 2 * * *", "Europe/Berlin", first, first + timedelta(days=1))
    assert found == ["29 03:00+0200"]


@pytest.mark.parametrize("minutes", range(0, 181, 15))
def test_what_ticked_does_not_tick_again_in_an_hour_that_comes_twice(
    minutes: int,
) -> None:
    began = datetime(2026, 10, 24, 23, 30, tzinfo=UTC) + timedelta(minutes=minutes)
    first = next(cron.ticks("30 2 * * *", "Europe/Berlin", began))
    assert first > began
    assert first.astimezone(ZoneInfo("Europe/Berlin")).fold == 0


MONTHS = {month_abbr[number].upper(): number for number in range(1, 13)}
WEEKDAYS = {day_abbr[number - 1].upper(): number for number in range(7)}


def drawn(random: Random) -> str:
    """A good expression, whose days are bound by the month or by the week."""
    minute, hour = _drawn(random, range(60)), _drawn(random, range(24))
    month = _drawn(random, range(1, 13), MONTHS)
    day, weekday = "*", "*"
    match random.randrange(4):
        case 0:
            day = _drawn(random, range(1, 29))
        case 1:
            weekday = _drawn(random, range(7), WEEKDAYS)
        case 2:
            day, weekday = str(random.randint(1, 28)), str(random.randint(0, 7))
    return f"{minute} {hour} {day} {month} {weekday}"


def _drawn(random: Random, values: range, names: dict[str, int] | None = None) -> str:
    def term() -> str:
        low = random.choice(values[:-1])
        high = random.randint(low + 1, values[-1])
        match random.randrange(6):
            case 0:
                return "*"
            case 1:
                return f"*/{random.randint(1, len(values))}"
            case 2:
                return f"{low}-{high}"
            case 3:
                return f"{low}-{high}/{random.randint(1, min(9, len(values)))}"
            case 4 if names is not None:
                return random.choice([*names, *map(str.lower, names)])
            case _:
                return str(low)

    if random.random() < 0.2:
        return ",".join(str(random.choice(values)) for _ in range(random.randint(2, 4)))
    return term()


def expected(expression: str, after: datetime) -> Iterator[datetime]:
    """The ticks in UTC, told a second time: day by day, whatever a library says."""
    minutes, hours, days, months, weekdays = (
        _meant(text, values, names)
        for text, values, names in zip(
            expression.upper().split(),
            (range(60), range(24), range(1, 32), range(1, 13), range(8)),
            ({}, {}, {}, MONTHS, WEEKDAYS),
            strict=True,
        )
    )
    _, _, day_text, _, weekday_text = expression.split()
    both = "*" in {day_text[0], weekday_text[0]}

    def is_meant(day: date) -> bool:
        weekday = (day.weekday() + 1) % 7
        of_month = day.day in days
        of_week = weekday in weekdays or (weekday == 0 and 7 in weekdays)
        found = of_month and of_week if both else of_month or of_week
        return found and day.month in months

    day = after.date()
    while True:
        if is_meant(day):
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    tick = datetime.combine(day, time(hour, minute), UTC)
                    if tick > after:
                        yield tick
        day += timedelta(days=1)


def _meant(text: str, values: range, names: dict[str, int]) -> set[int]:
    def number(part: str) -> int:
        return names[part] if part in names else int(part)

    meant: set[int] = set()
    for term in text.split(","):
        span, _, step = term.partition("/")
        low, _, high = span.partition("-")
        if span == "*":
            ends = values[0], values[-1]
        else:
            ends = number(low), number(high or low)
        meant.update(range(ends[0], ends[1] + 1, int(step or 1)))
    return meant


def test_ten_thousand_expressions_tick_as_they_say() -> None:
    random = Random(5)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(10_000):
        expression = drawn(random)
        after = begin + timedelta(seconds=random.randrange(10**8))
        found = list(islice(cron.ticks(expression, "UTC", after), 3))
        assert found == list(islice(expected(expression, after), 3)), expression
