"""Which queues a claim asks, and in which order."""

from __future__ import annotations

from random import Random

import pytest

from jobcore import InOrder, InTurn, InvalidJobError, Weighted

QUEUES = ("a", "b", "c")


def test_in_order_empties_an_earlier_queue_first() -> None:
    assert [InOrder().plan(QUEUES, 5) for _ in range(2)] == [(QUEUES, 5)] * 2


def test_in_turn_begins_each_claim_with_the_next_queue() -> None:
    strategy = InTurn()
    plans = [strategy.plan(QUEUES, 5) for _ in range(4)]
    assert ["".join(queues) for queues, _ in plans] == ["abc", "bca", "cab", "abc"]
    assert {wanted for _, wanted in plans} == {5}


def test_in_turn_can_do_without_queues() -> None:
    assert InTurn().plan((), 5) == ((), 5)


def test_weights_say_how_often_a_queue_comes_first() -> None:
    strategy = Weighted({"mail": 3}, Random(7))
    plans = [strategy.plan(("bulk", "mail"), 5) for _ in range(4000)]
    assert {wanted for _, wanted in plans} == {5}
    assert {frozenset(queues) for queues, _ in plans} == {frozenset({"bulk", "mail"})}
    first = [queues[0] for queues, _ in plans]
    assert 0.72 < first.count("mail") / 4000 < 0.78, "three of four"


@pytest.mark.parametrize("odd", [{"mail": 0}, {"mail": -1}, {"mail": float("inf")}])
def test_odd_weights_are_refused(odd: dict[str, float]) -> None:
    with pytest.raises(InvalidJobError, match="weight of mail"):
        Weighted(odd)
