"""Calls to a store run in tasks of the manager, and again after an outage."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from jobcore import StoreError, StoreNotOpenError, StoreUnavailableError
from jobcore.calls import StoreCalls

pytestmark = pytest.mark.anyio


@pytest.fixture
async def calls() -> AsyncIterator[StoreCalls]:
    calls = StoreCalls(timedelta(seconds=5))
    calls.open()
    yield calls
    await calls.close()


class Verb:
    """A verb of a store: fails as often as it is told, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0
        self.started = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> str:
        self.tries += 1
        self.started.set()
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


async def test_a_call_answers_or_raises(calls: StoreCalls) -> None:
    assert await calls.call(Verb()) == "answer"
    refused = Verb(StoreError("no"))
    with pytest.raises(StoreError, match="no"):
        await calls.call(refused)
    assert refused.tries == 1


async def test_a_call_that_finds_the_store_unavailable_is_repeated(
    calls: StoreCalls,
) -> None:
    verb = Verb(StoreUnavailableError("a"), StoreUnavailableError("b"))
    assert await calls.call(verb) == "answer"
    assert verb.tries == 3


async def test_a_verb_that_is_made_anew_for_each_try_is_awaited_each_time(
    calls: StoreCalls,
) -> None:
    verb = Verb(StoreUnavailableError("a"))
    assert await calls.call(lambda: asyncio.wait_for(verb(), 9)) == "answer"
    assert verb.tries == 2


async def test_a_repeat_that_is_refused_says_so(calls: StoreCalls) -> None:
    verb = Verb(StoreUnavailableError("a"), StoreError("no"))
    with pytest.raises(StoreError, match="no"):
        await calls.call(verb)
    assert verb.tries == 2


async def test_an_outage_that_outlasts_the_patience_is_raised(
    calls: StoreCalls,
) -> None:
    verb = Verb(*[StoreUnavailableError("gone")] * 100)
    with pytest.raises(StoreUnavailableError, match="gone"):
        await calls.start(verb, patience=timedelta(milliseconds=1))
    assert verb.tries < 100


async def test_a_call_that_failed_after_its_patience_is_not_repeated(
    calls: StoreCalls,
) -> None:
    """A claim is repeated only while its lease is young."""
    verb = Verb(StoreUnavailableError("gone"))
    verb.gate.clear()
    call = calls.start(verb, patience=timedelta(milliseconds=20))
    await verb.started.wait()
    await asyncio.sleep(0.05)
    verb.gate.set()
    with pytest.raises(StoreUnavailableError, match="gone"):
        await call
    assert verb.tries == 1


async def test_no_repeat_begins_after_the_patience(calls: StoreCalls) -> None:
    loop, begun = asyncio.get_running_loop(), list[float]()

    async def verb() -> None:
        begun.append(loop.time())
        raise StoreUnavailableError("gone")

    patience = timedelta(milliseconds=300)
    until = loop.time() + patience.total_seconds()
    with pytest.raises(StoreUnavailableError):
        await calls.start(verb, patience=patience)
    assert begun[-1] <= until + 0.1


async def test_cancelling_the_caller_abandons_the_wait_and_not_the_call(
    calls: StoreCalls,
) -> None:
    verb = Verb()
    verb.gate.clear()
    caller = asyncio.create_task(calls.call(verb))
    await verb.started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    closing = asyncio.create_task(calls.close())
    await asyncio.sleep(0)
    assert not closing.done()
    verb.gate.set()
    await closing


async def test_an_abandoned_call_may_fail_unheard(calls: StoreCalls) -> None:
    verb = Verb(StoreError("no"))
    verb.gate.clear()
    caller = asyncio.create_task(calls.call(verb))
    await verb.started.wait()
    caller.cancel()
    verb.gate.set()
    await calls.close()
    assert caller.cancelled()


async def test_close_waits_for_calls_that_finishing_calls_make(
    calls: StoreCalls,
) -> None:
    first, second = Verb(), Verb()
    task = calls.start(first)
    task.add_done_callback(lambda _: calls.start(second))
    second.gate.clear()
    closing = asyncio.create_task(calls.close())
    await second.started.wait()
    for _ in range(9):
        await asyncio.sleep(0)
    closed_early = closing.done()
    second.gate.set()
    await closing
    assert not closed_early


async def test_no_call_is_made_before_opening_or_after_closing() -> None:
    calls, verb = StoreCalls(timedelta(seconds=1)), Verb()
    with pytest.raises(StoreNotOpenError, match="not open") as refused:
        await calls.call(verb)
    assert refused.value.code == "store_not_open"
    calls.open()
    await calls.close()
    with pytest.raises(StoreNotOpenError, match="not open"):
        await calls.call(verb)
    assert verb.tries == 0


async def test_no_call_is_made_from_another_process(
    calls: StoreCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, verb = os.getpid(), Verb()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    with pytest.raises(StoreNotOpenError, match=f"process {parent}"):
        await calls.call(verb)
    assert verb.tries == 0


async def test_no_call_is_made_from_another_event_loop(calls: StoreCalls) -> None:
    verb = Verb()

    def elsewhere() -> None:
        asyncio.run(calls.call(verb))

    with pytest.raises(StoreNotOpenError, match="another event loop"):
        await asyncio.to_thread(elsewhere)
    assert verb.tries == 0
