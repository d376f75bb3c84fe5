"""Names, keys, numbers, lengths and instants that may enter a store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from jobcore import WAITING, InvalidJobError, JobStatus, Limit, Priority
from jobcore.checks import (
    LONGEST,
    MAX_LABELS,
    check_delay,
    check_instant,
    check_integer,
    check_key,
    check_labels,
    check_length,
    check_limit,
    check_name,
    check_scope,
)

DAY = timedelta(days=1)


def refused(check: Callable[..., object], *arguments: object) -> InvalidJobError:
    with pytest.raises(InvalidJobError) as caught:
        check("the field", *arguments)
    assert caught.value.code == "invalid_job"
    assert caught.value.field.startswith("the field")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250
    return caught.value


@pytest.mark.parametrize(
    "name", ["a", "Q", "q", "0", "send_email", "send-email", "a" * 64, "9_-"]
)
def test_a_name_is_ascii_letters_digits_underscore_and_hyphen(name: str) -> None:
    assert check_name("queue", name) == name


BAD_NAMES = [
    "", " ", " a", "a ", "a\t", "_a", "-a", "a" * 65, "\N{PILE OF POO}" * 200,
    "a\x00b", "a\nb", "a\n", "\r\n", "\x1b[31m", "q}x{", "{a}", "a{b}c", "a:b", "a*b",
    "[a]", "?", "os.system", "builtins.eval", "%s", "{0.__class__}",
    "${jndi:ldap://x}", "\N{CYRILLIC SMALL LETTER A}", "\N{LATIN SMALL LIGATURE FI}",
    "\N{FULLWIDTH LATIN SMALL LETTER A}", "\N{ARABIC-INDIC DIGIT ONE}", "\ud800",
    None, 0, 1.5, True, b"q", ["q"], JobStatus.QUEUED, 10**5000,
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_any_other_name_is_refused(name: object) -> None:
    refused(check_name, name)


@pytest.mark.parametrize(
    "key",
    ["a", "user:7", "ada@example.org", "a b", "%s {0.__class__}", "\N{SNOWMAN}" * 85],
)
def test_a_key_is_printable_text(key: str) -> None:
    assert check_key("unique_key", key) == key


BAD_KEYS = [
    "", " ", " a", "a ", "a\0", "a\n", "\x1b[31m", "\ud800", "a" * 256,
    "\N{SNOWMAN}" * 86, "\N{NO-BREAK SPACE}a", "\N{ZERO WIDTH SPACE}",
    None, 0, b"a", JobStatus.QUEUED,
]  # fmt: skip


@pytest.mark.parametrize("key", BAD_KEYS, ids=ascii)
def test_any_other_key_is_refused(key: object) -> None:
    refused(check_key, key)


@pytest.mark.parametrize("value", [-5, 5, Priority.NORMAL])
def test_a_number_is_whole_and_within_its_range(value: int) -> None:
    checked = check_integer("priority", value, -5, 5)
    assert checked == value
    assert type(checked) is int


BAD_NUMBERS = [
    -6, 6, 2**31, -(2**31) - 1, 2**63, 10**5000, -(10**5000),
    True, False, 1.0, 1.5, float("nan"), "1", b"1", None, [1],
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=range(len(BAD_NUMBERS)))
def test_any_other_number_is_refused(value: object) -> None:
    refused(check_integer, value, -5, 5)


def test_a_delay_may_be_zero_and_a_length_may_not() -> None:
    for length in (timedelta(microseconds=1), DAY, LONGEST):
        assert check_delay("delay", length) == length
        assert check_length("timeout", length) == length
    assert check_delay("delay", timedelta(0)) == timedelta(0)
    refused(check_length, timedelta(0))


BAD_LENGTHS = [
    timedelta(microseconds=-1), timedelta.min, timedelta.max, LONGEST + DAY,
    0, 1, 1.5, "1", "PT1S", None, float("nan"), True,
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_LENGTHS, ids=ascii)
def test_any_other_length_is_refused(value: object) -> None:
    refused(check_delay, value)
    refused(check_length, value)


def at(offset: timedelta) -> datetime:
    return datetime(2030, 1, 1, 12, 0, 0, 999_999, tzinfo=timezone(offset))


@pytest.mark.parametrize(
    "instant",
    [
        at(timedelta(0)),
        at(timedelta(hours=5, minutes=45)),
        at(timedelta(hours=14)),
        at(-timedelta(hours=12)),
        at(timedelta(seconds=1)),
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
        datetime(1971, 1, 1, tzinfo=UTC),
        datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_an_aware_instant_is_kept_to_the_microsecond_in_utc(instant: datetime) -> None:
    checked = check_instant("run_at", instant)
    assert checked == instant
    assert checked.tzinfo is UTC
    assert checked.microsecond == instant.microsecond


@pytest.mark.parametrize(
    "value",
    [
        datetime(2030, 1, 1),  # noqa: DTZ001 - the point
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(1969, 12, 31, tzinfo=UTC),
        datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=12))),
        datetime.now(UTC) + timedelta(days=365_000),
        date(2030, 1, 1),
        1893456000,
        1893456000.0,
        1893456000000,
        "2030-01-01T00:00:00Z",
        "2016-12-31T23:59:60Z",
        float("nan"),
        None,
    ],
    ids=ascii,
)
def test_any_other_instant_is_refused(value: object) -> None:
    refused(check_instant, value)


def test_labels_are_names_with_printable_values() -> None:
    labels = {f"label-{number}": "\N{SNOWMAN}" for number in range(MAX_LABELS)}
    assert check_labels("labels", labels) == labels
    assert check_labels("labels", {}) == {}


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        ({f"l{number}": "x" for number in range(33)}, "labels"),
        (None, "labels"),
        ([("a", "b")], "labels"),
        ("ab", "labels"),
        ({"": "x"}, "label"),
        ({1: "x"}, "label"),
        ({"a b": "x"}, "label"),
        ({"a": ""}, "label a"),
        ({"a": 1}, "label a"),
        ({"a": None}, "label a"),
        ({"a": "x" * 256}, "label a"),
    ],
)
def test_other_labels_are_refused(labels: object, field: str) -> None:
    with pytest.raises(InvalidJobError) as caught:
        check_labels("labels", labels)
    assert caught.value.field == field


def test_a_scope_has_at_least_the_first_statuses() -> None:
    assert check_scope("unique_scope", set(WAITING)) == WAITING
    assert check_scope("unique_scope", frozenset(JobStatus)) == set(JobStatus)


@pytest.mark.parametrize(
    "scope",
    [
        set(),
        {JobStatus.QUEUED},
        {JobStatus.SCHEDULED},
        {"scheduled", "queued"},
        {JobStatus.SCHEDULED, JobStatus.QUEUED, "all"},
        [JobStatus.SCHEDULED, JobStatus.QUEUED],
        "scheduled",
        None,
    ],
    ids=str,
)
def test_any_other_scope_is_refused(scope: object) -> None:
    with pytest.raises(InvalidJobError) as caught:
        check_scope("unique_scope", scope)
    assert caught.value.field == "unique_scope"


@pytest.mark.parametrize(
    "limit",
    [
        Limit(),
        Limit(concurrency=1),
        Limit(concurrency=1_000_000),
        Limit(rate=1, period=LONGEST),
        Limit(rate=1_000_000, period=LONGEST, burst=1_000_000),
    ],
)
def test_a_limit_has_figures_that_a_claim_can_work_with(limit: Limit) -> None:
    assert check_limit("limit", limit) is limit


@pytest.mark.parametrize(
    "figures",
    [
        {"concurrency": 0},
        {"concurrency": -1},
        {"concurrency": 1_000_001},
        {"concurrency": True},
        {"concurrency": 1.5},
        {"rate": 0},
        {"rate": 2**31},
        {"rate": "1"},
        {"period": timedelta(0)},
        {"period": -DAY},
        {"period": timedelta.max},
        {"period": 1},
        {"burst": 0},
        {"burst": None},
        {"burst": 1_000_001},
        {"rate": 1, "period": LONGEST, "burst": 2},
    ],
)
def test_any_other_limit_is_refused(figures: dict[str, Any]) -> None:
    refused(check_limit, Limit(**figures))


def test_what_is_no_limit_is_refused() -> None:
    refused(check_limit, 5)
    refused(check_limit, {"concurrency": 1})
