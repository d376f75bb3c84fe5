"""The rules of `insert`, but for those of unique keys."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pydantic_core import to_json

from jobcore.job import Job, JobStatus, Limit, NewJob
from jobcore.lifecycle import complete
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import (
    a_claim,
    a_job,
    answers_of,
    claimed,
    close,
    current,
    found,
    inserted,
    named,
    neighbours,
)
from jobcore.transition import Answer

HOUR = timedelta(hours=1)

FULL = a_job(
    task="Mail.send",
    queue="Mail-1",
    priority=-7,
    payload=b'{"to": ["ada"]}',
    labels={"tenant": "acme", "Été": "ß 🎉 'quoted' %s {x}"},
    unique_key="K: ß/{1}*",
    unique_scope=frozenset({JobStatus.QUEUED, JobStatus.COMPLETED}),
    limit_key="tenant: ß",
    limit=Limit(
        concurrency=3, rate=7, period=timedelta(minutes=1, microseconds=5), burst=2
    ),
    max_retries=9,
    timeout=timedelta(hours=30, microseconds=7),
    extra=b'{"deadline": 1}',
)
"""Every field differs from its default."""


class InsertRules(Conformance):
    async def test_insert_keeps_every_field(self, store: JobStore) -> None:
        new = named(store, FULL)
        (answer,) = await store.insert([new])
        expected = Job.stored(new, answer.job.created_at)
        assert answer.job == expected, "insert answers with the whole job"
        assert await current(store, new.id) == expected, "get gives back what came in"

    @pytest.mark.parametrize("priority", [-32768, -1, 0, 32767])
    async def test_insert_keeps_any_priority_of_16_bits(
        self, store: JobStore, priority: int
    ) -> None:
        (job,) = await inserted(store, a_job(priority=priority))
        assert (await current(store, job.id)).priority == priority

    @pytest.mark.parametrize(
        "text",
        [
            b"{}",
            b'{ "b":1.0 ,\n"a": 1e400, "b": -0.0, "n": 18446744073709551617 }',
            '{"ß": "\\u0000\\ud800 🎉", "": [[]]}'.encode(),
            b"\x00\xff\xfe opaque",
            b'{"long": "' + b"x" * 100_000 + b'"}',
        ],
        ids=["empty", "numbers", "text", "opaque", "long"],
    )
    async def test_insert_keeps_payload_and_extra_byte_by_byte(
        self, store: JobStore, text: bytes
    ) -> None:
        (job,) = await inserted(store, a_job(payload=text, extra=text))
        kept = await current(store, job.id)
        assert kept.payload == text, "a payload is opaque bytes"
        assert kept.extra == text, "extra is opaque bytes"

    async def test_insert_queues_a_job_that_is_due_at_once(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, a_job())
        assert job.status is JobStatus.QUEUED
        assert job.due_at == job.created_at, "due at the insert, by the store's clock"
        assert job.created_at.utcoffset() == timedelta(0), "times are aware and UTC"

    async def test_insert_queues_a_job_whose_due_time_has_passed(
        self, store: JobStore
    ) -> None:
        due_at = datetime(2020, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)
        (job,) = await inserted(store, a_job(due_at=due_at))
        assert job.status is JobStatus.QUEUED
        assert (await current(store, job.id)).due_at == due_at, (
            "a due time is kept to the microsecond"
        )

    async def test_insert_schedules_a_job_for_its_due_time(
        self, store: JobStore
    ) -> None:
        due_at = datetime(2099, 12, 31, 1, 2, 3, 456789, tzinfo=UTC)
        (job,) = await inserted(store, a_job(due_at=due_at))
        assert job.status is JobStatus.SCHEDULED
        assert job.due_at == due_at
        assert await current(store, job.id) == job, "what was answered is what is kept"

    async def test_insert_counts_a_delay_from_the_clock_of_the_store(
        self, store: JobStore
    ) -> None:
        store.offset = 500 * HOUR
        (job,) = await inserted(store, a_job(delay=HOUR))
        assert job.status is JobStatus.SCHEDULED
        assert job.due_at == job.created_at + HOUR
        assert close(job.created_at, datetime.now(UTC) + 500 * HOUR), (
            "the offset is added to the store's clock"
        )
        assert await current(store, job.id) == job, "what was answered is what is kept"

    async def test_insert_answers_in_order(self, store: JobStore) -> None:
        jobs = [named(store, a_job(queue=f"queue-{n % 3}")) for n in range(30)]
        (known,) = await store.insert([jobs[7]])
        answers = await store.insert(jobs[::-1])
        assert [answer.job.id for answer in answers] == [job.id for job in jobs[::-1]]
        assert [answer.created for answer in answers].count(False) == 1
        assert answers[22].job == known.job, "the job that was there is not created"

    async def test_insert_keeps_each_text_of_a_batch(self, store: JobStore) -> None:
        """Also those that mean something where they might be written in between."""
        texts = (
            None,
            "NULL",
            "null",
            "{a,b}",
            '"',
            "\\",
            '\\"',
            "'",
            "%s",
            "$1",
            "ß",
            ",",
        )
        jobs = [
            named(store, a_job(unique_key=text, labels={"of": text} if text else {}))
            for text in texts
        ]
        stored = [answer.job for answer in await store.insert(jobs)]
        assert [job.unique_key for job in stored] == list(texts)
        assert [await current(store, job.id) for job in jobs] == stored

    @pytest.mark.parametrize("are_ascii", [True, False])
    async def test_insert_keeps_each_payload_of_a_batch_and_each_result(
        self, store: JobStore, *, are_ascii: bool
    ) -> None:
        texts = ["NULL", "{a,b}", '"', "\\", '\\"', "\\x41", "'", "%s", "\n", ","]
        written = [to_json(text) for text in (texts if are_ascii else [*texts, "ß"])]
        jobs = await inserted(store, *(a_job(payload=each) for each in written))
        claims = await claimed(store, limit=len(written))
        kept = {claim.job_id: claim.job.payload for claim in claims}
        assert kept == {job.id: job.payload for job in jobs}
        ends = [complete(each, each.job.payload) for each in claims]
        assert await answers_of(store, *ends) == [Answer.APPLIED] * len(ends)
        assert [(await current(store, job.id)).result for job in jobs] == written

    async def test_insert_of_nothing_answers_nothing(self, store: JobStore) -> None:
        assert await store.insert([]) == []

    async def test_insert_answers_a_known_id_with_the_job_that_is_there(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store, payload=b"1")
        other = a_job(id=claim.job_id, payload=b"2", queue="other", priority=5)
        (answer,) = await store.insert([other])
        assert not answer.created, "an id is inserted once"
        assert answer.job == await current(store, claim.job_id), (
            "the answer is the job as it is stored now"
        )
        assert answer.job == claim.job, "a repeated insert changes nothing"

    async def test_insert_takes_an_id_once_in_one_batch(self, store: JobStore) -> None:
        job = named(store, a_job(payload=b"1"))
        first, second = await store.insert([job, replace(job, payload=b"2")])
        assert (first.created, second.created) == (True, False)
        assert first.job == second.job
        assert len(await found(store)) == 1

    async def test_insert_takes_an_id_once_under_concurrent_inserts(
        self, store: JobStore
    ) -> None:
        job = named(store, a_job())
        answers = await asyncio.gather(*(store.insert([job]) for _ in range(5)))
        assert [answer.created for (answer,) in answers].count(True) == 1
        assert len(await found(store)) == 1

    async def test_insert_stores_all_or_none(self, store: JobStore) -> None:
        *good, last = neighbours(store, *(a_job() for _ in range(4)))
        never = cast("Any", "never")
        bad: NewJob = replace(last, due_at=never)
        with pytest.raises(Exception):  # noqa: B017, PT011 - whichever, it must fail
            await store.insert([good[0], good[1], bad, good[2]])
        assert await found(store) == [], "a batch that fails leaves nothing behind"

    async def test_insert_tells_names_apart_by_case(self, store: JobStore) -> None:
        await inserted(store, a_job(queue="mail"), a_job(queue="Mail"))
        statistics = await store.statistics()
        assert statistics.count(JobStatus.QUEUED, "mail") == 1
        assert statistics.count(JobStatus.QUEUED, "Mail") == 1
