"""A suspect is young for a while, and whoever waits for that hears of its end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from jobcore import Claim, Job, NewJob
from jobcore.worker.suspects import Suspects

pytestmark = pytest.mark.anyio


def a_claim(name: str) -> Claim:
    new = NewJob(task="greet", id=name)
    return Claim(Job.stored(new, datetime(2030, 1, 1, tzinfo=UTC)), "token")


async def test_whoever_hears_that_a_suspect_has_grown_may_claim_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the clock shows that instant a moment early."""
    grown = asyncio.Event()
    suspects = Suspects(0.01, grown.set)
    with monkeypatch.context() as clock:
        clock.setattr(asyncio.get_running_loop(), "_clock_resolution", 0.005)
        suspects.keep_one([a_claim("one")])
        assert suspects.are_young
        await grown.wait()
        assert not suspects.are_young


async def test_a_suspect_that_ended_is_not_told_to_have_grown() -> None:
    told: list[None] = []
    suspects, first = Suspects(0.01, lambda: told.append(None)), a_claim("one")
    suspects.keep_one([first])
    suspects.forget([first])
    assert not suspects.are_young
    await asyncio.sleep(0.02)  # its timer comes first
    assert not told
