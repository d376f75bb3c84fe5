"""Which queues a claim asks, and in which order."""

from __future__ import annotations

from jobcore import InOrder, InTurn

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
