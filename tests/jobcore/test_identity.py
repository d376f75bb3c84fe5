"""Ids and tokens come from a source of randomness that tests may seed."""

from __future__ import annotations

import time
from random import Random
from uuid import RFC_4122, UUID

import pytest

from jobcore.checks import check_name
from jobcore.identity import IdSequence, new_token, new_worker_id
from jobcore.retry import SYSTEM_RANDOM


def test_a_token_has_128_random_bits() -> None:
    tokens = {new_token(SYSTEM_RANDOM) for _ in range(100)}
    assert len(tokens) == 100
    assert {len(each) for each in tokens} == {32}
    assert new_token(Random(7)) == new_token(Random(7))


def test_ids_are_uuids_of_version_7_that_tell_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(IdSequence(SYSTEM_RANDOM)())
    assert made.version == 7
    assert made.variant == RFC_4122
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_rise_strictly_in_one_millisecond_and_when_the_clock_steps_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = IdSequence(Random(7))
    made = [ids() for _ in range(1000)]
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    made += [ids() for _ in range(1000)]
    assert made == sorted(set(made))
    assert {UUID(each).version for each in made} == {7}
    assert {UUID(each).variant for each in made} == {RFC_4122}


@pytest.mark.parametrize("width", [48, 62, 73])
def test_ids_count_on_where_a_part_of_them_is_full(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    ids = IdSequence(Full(width))
    monkeypatch.setattr(time, "time_ns", lambda: 7_000_000)
    made = [UUID(ids()) for _ in range(10)]
    first = 7 << 74 | Full(width).getrandbits(73)
    assert list(map(free_bits, made)) == list(range(first, first + 10))
    assert {each.version for each in made} == {7}
    assert {each.variant for each in made} == {RFC_4122}


class Full(Random):
    """Draws what leaves room for four more in its last *width* bits."""

    def __init__(self, width: int) -> None:
        super().__init__(7)
        self.width = width

    def getrandbits(self, _: int, /) -> int:
        return (1 << self.width) - 5


def free_bits(made: UUID) -> int:
    """What is left of a UUID without its version and variant."""
    high, middle, low = made.int >> 80, made.int >> 64 & 0xFFF, made.int & (1 << 62) - 1
    return (high << 74) + (middle << 62) + low


@pytest.mark.parametrize(
    ("host", "start"),
    [
        ("db1", "db1-7-"),
        ("db1.example.org", "db1-example-org-7-"),
        ("---", "worker-7-"),
        ("", "worker-7-"),
        ("\N{SNOWMAN}", "worker-7-"),
        ("x" * 100, "x" * 32 + "-7-"),
    ],
)
def test_a_worker_id_is_a_name_that_tells_host_and_process(
    host: str, start: str
) -> None:
    first, second = (new_worker_id(SYSTEM_RANDOM, host, 7) for _ in range(2))
    assert first != second
    assert check_name("worker", first).startswith(start)
