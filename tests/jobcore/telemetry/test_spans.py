"""One trace tells what a job went through, from whoever submitted it on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy.ext.asyncio import create_async_engine

from jobcore import (
    DefaultJobManager,
    Every,
    InMemoryJobStore,
    InvalidJobError,
    Job,
    JobRequest,
    JobStatus,
    StoreUnavailableError,
    Tasks,
    Worker,
    never,
)
from jobcore.telemetry import Telemetry
from tests.jobcore.faults import FaultyStore
from tests.jobcore.telemetry.conftest import QUICK, Observatory
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
GREET = JobRequest("greet", options={"queue": "mail"})

tasks = Tasks()


@tasks.task(queue="mail")
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@tasks.task(queue="mail")
def greet_in_a_thread() -> str:
    return format(trace.get_current_span().get_span_context().span_id, "016x")


@tasks.task(queue="mail", retry=never())
async def insult() -> None:
    problem = "cannot log in at postgresql://ada:secret@host/jobs"
    raise ValueError(problem)


@tasks.task(queue="mail", max_retries=2)
async def stumble() -> None:
    raise OSError


@tasks.task(queue="mail", timeout=timedelta(milliseconds=1), retry=never())
async def tarry() -> None:
    await asyncio.sleep(60)


def identity(span: ReadableSpan) -> tuple[int, int]:
    """The trace and the span."""
    context = span.get_span_context()
    assert context
    return context.trace_id, context.span_id


def parent(span: ReadableSpan) -> tuple[int, int] | None:
    return None if span.parent is None else (span.parent.trace_id, span.parent.span_id)


def traceparent(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context
    flags = int(context.trace_flags)
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"


async def ended(jobs: DefaultJobManager, job: Job[object]) -> Job[object]:
    """*job* when it has ended, whatever its end is."""
    await asyncio.gather(jobs.result(job), return_exceptions=True)
    return await jobs.get(job)


async def test_submit_and_run_are_below_what_the_host_does(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    with observatory.tracer.start_as_current_span("request"):
        job = await jobs.submit(greet.job("Ada"), correlation_id="order 7")
    async with Worker(jobs, tasks) as worker:
        await jobs.result(job)
    submit, request, run = observatory.spans()
    assert [each.name for each in (submit, run)] == ["submit mail", "run mail"]
    assert parent(submit) == identity(request)
    assert parent(run) == identity(submit)
    assert job.details.traceparent == traceparent(submit)
    assert (submit.kind, run.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert submit.status.status_code is run.status.status_code is StatusCode.UNSET
    both = {
        "messaging.system": "jobcore",
        "messaging.destination.name": "mail",
        "messaging.message.id": job.id,
        "jobcore.task": "greet",
    }
    assert submit.attributes == both | {
        "messaging.operation.name": "submit",
        "messaging.operation.type": "send",
    }
    assert run.attributes == both | {
        "messaging.operation.name": "run",
        "messaging.operation.type": "process",
        "messaging.client.id": worker.id,
        "messaging.message.conversation_id": "order 7",
        "jobcore.attempt": 1,
        "jobcore.outcome": "succeeded",
    }


async def test_what_a_handler_does_is_below_its_run(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    own = Tasks()

    @own.task()
    async def order() -> Job[str]:
        with observatory.tracer.start_as_current_span("charge"):
            return await jobs.submit(greet.job("Ada"))

    with observatory.tracer.start_as_current_span("start") as host:
        async with Worker(jobs, own):
            outer = await jobs.submit(order.job())
            await jobs.result(outer)
    inner = (await jobs.find()).jobs[0]
    _, submit, charge, run, _ = observatory.spans()
    assert parent(charge) == identity(run)
    assert parent(submit) == identity(charge)
    assert inner.details.traceparent == traceparent(submit)
    assert identity(submit)[0] == host.get_span_context().trace_id


async def test_a_run_is_current_in_the_thread_of_its_handler(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    async with Worker(jobs, tasks):
        span_id = await jobs.result(await jobs.submit(greet_in_a_thread.job()))
    (run,) = observatory.spans("run")
    assert span_id == f"{identity(run)[1]:016x}"


async def test_a_failure_is_told_without_secrets(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    async with Worker(jobs, tasks):
        await ended(jobs, await jobs.submit(insult.job()))
    (run,) = observatory.spans("run")
    assert run.status.status_code is StatusCode.ERROR
    assert run.status.description == "cannot log in at postgresql://ada:***@host/jobs"
    assert run.attributes
    assert run.attributes["error.type"] == "ValueError"
    assert run.attributes["jobcore.outcome"] == "failed"
    (event,) = run.events
    assert event.name == "exception"
    assert event.attributes
    assert event.attributes["exception.type"] == "ValueError"
    assert event.attributes["exception.message"] == run.status.description
    assert "in insult" in str(event.attributes["exception.stacktrace"])
    assert "secret" not in run.to_json()


async def test_each_attempt_has_a_span_below_the_submit(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    async with Worker(jobs, tasks):
        await ended(jobs, await jobs.submit(stumble.job()))
    (submit,), runs = observatory.spans("submit"), observatory.spans("run")
    assert {parent(each) for each in runs} == {identity(submit)}
    attributes = [each.attributes or {} for each in runs]
    assert [each["jobcore.attempt"] for each in attributes] == [1, 2, 3]
    assert {each["error.type"] for each in attributes} == {"OSError"}


async def test_a_timeout_is_an_error_and_a_cancellation_is_none(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    own, running = Tasks(), asyncio.Event()

    @own.task()
    async def wait() -> None:
        running.set()
        await asyncio.sleep(60)

    async with Worker(jobs, tasks), Worker(jobs, own):
        await ended(jobs, await jobs.submit(tarry.job()))
        job = await jobs.submit(wait.job())
        await running.wait()
        await jobs.cancel(job)
        await ended(jobs, job)
    told = [
        ((each.attributes or {})["jobcore.outcome"], each.status.status_code)
        for each in observatory.spans("run")
    ]
    assert told == [
        ("timed_out", StatusCode.ERROR),
        ("canceled", StatusCode.UNSET),
    ]


async def test_a_lost_claim_is_an_error(observatory: Observatory) -> None:
    own, running, told = Tasks(), asyncio.Event(), asyncio.Event()

    @own.task()
    async def wait() -> None:
        running.set()
        try:
            await asyncio.sleep(60)
        finally:
            told.set()

    config = QUICK.model_copy(update={"job_claim_timeout": timedelta(seconds=0.3)})
    store = FaultyStore()
    async with (
        observatory.manager(store, config) as jobs,
        Worker(jobs, own, upkeep=False),
    ):
        await jobs.submit(wait.job())
        await running.wait()
        store.offset = timedelta(hours=1)
        await jobs.release_stale_claims()
        await told.wait()
    (run,) = observatory.spans("run")
    assert run.status.status_code is StatusCode.ERROR
    assert run.attributes
    assert run.attributes["error.type"] == run.attributes["jobcore.outcome"] == "lost"


async def test_a_batch_has_one_span(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    batch = await jobs.submit_many([greet.job(each) for each in "abc"])
    await jobs.submit_many([greet.job("d"), JobRequest("other")])
    await jobs.submit_many([])
    same, mixed = observatory.spans()
    assert {each.details.traceparent for each in batch} == {traceparent(same)}
    assert same.name == "submit mail"
    assert same.attributes
    assert same.attributes["messaging.batch.message_count"] == 3
    assert "messaging.message.id" not in same.attributes
    assert mixed.name == "submit"
    assert mixed.attributes
    assert "jobcore.task" not in mixed.attributes


async def test_a_job_keeps_the_trace_that_it_is_given(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    given = await jobs.submit(GREET, traceparent=TRACE)
    of_request = GREET.with_options(traceparent=TRACE)
    mixed = await jobs.submit_many([of_request, GREET])
    traces = [each.details.traceparent for each in (given, *mixed)]
    assert traces == [TRACE, TRACE, traceparent(observatory.spans()[-1])]


async def test_what_else_a_job_carries_stays(jobs: DefaultJobManager) -> None:
    job = await jobs.submit(GREET, deadline=timedelta(hours=1), correlation_id="7")
    assert job.details.deadline == timedelta(hours=1)
    assert job.details.correlation_id == "7"
    assert job.details.traceparent


async def test_a_trace_that_is_left_out_is_passed_on() -> None:
    telemetry = Telemetry(
        tracer_provider=TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    )
    async with (
        InMemoryJobStore() as store,
        DefaultJobManager(store, QUICK, instrumentation=telemetry) as jobs,
        Worker(jobs, tasks),
    ):
        job = await jobs.submit(insult.job())
        assert (await ended(jobs, job)).status is JobStatus.FAILED
    sampled = int((job.details.traceparent or "")[-2:], 16) & 1
    assert sampled == 0


async def test_a_run_without_a_submit_begins_a_trace(observatory: Observatory) -> None:
    """Whatever is current where the worker starts."""
    telemetry = observatory.telemetry
    async with (
        InMemoryJobStore() as store,
        DefaultJobManager(store, QUICK) as elsewhere,
        DefaultJobManager(store, QUICK, instrumentation=telemetry) as jobs,
    ):
        job = await elsewhere.submit(greet.job("Ada"))
        with observatory.tracer.start_as_current_span("start"):
            async with Worker(jobs, tasks):
                await jobs.result(job)
    (run,) = observatory.spans("run")
    assert parent(run) is None


async def test_a_triggered_job_has_the_trace_of_its_trigger(
    jobs: DefaultJobManager, observatory: Observatory
) -> None:
    await jobs.schedule("greeting", GREET, Every(timedelta(hours=1)))
    job = await jobs.trigger("greeting")
    (submit,) = observatory.spans()
    assert job.details.traceparent == traceparent(submit)


async def test_a_submit_that_fails_is_an_error(observatory: Observatory) -> None:
    store = FaultyStore()
    config = QUICK.model_copy(update={"store_retry_timeout": timedelta(seconds=0.001)})
    async with observatory.manager(store, config) as jobs:
        store.fail("insert", *[StoreUnavailableError("gone")] * 5)
        with pytest.raises(StoreUnavailableError):
            await jobs.submit(GREET)
        with pytest.raises(InvalidJobError):
            await jobs.submit(GREET, priority=10**6)
    (submit,) = observatory.spans()
    assert submit.status.status_code is StatusCode.ERROR
    assert submit.attributes
    assert submit.attributes["error.type"] == "jobcore.errors.StoreUnavailableError"


async def test_a_submit_in_a_transaction_of_the_host_takes_part(
    observatory: Observatory,
) -> None:
    async with (
        postgresql.empty_store("18") as store,
        DefaultJobManager(store, instrumentation=observatory.telemetry) as jobs,
    ):
        engine = create_async_engine(postgresql.url("18"))
        async with engine.begin() as connection:
            job = await jobs.using(connection).submit(GREET)
        await engine.dispose()
        stored = await jobs.get(job.id)
        statement = jobs.insert_statement([GREET])
    submit, made = observatory.spans("submit")
    assert stored.details.traceparent == traceparent(submit)
    assert traceparent(made) in str(statement.parameters)


class Broken(SpanProcessor):
    def on_start(self, span: object, parent_context: object = None) -> None:  # noqa: ARG002
        raise ConnectionError

    def on_end(self, span: object) -> None:  # noqa: ARG002
        raise ConnectionError


async def test_a_fault_of_an_exporter_is_none_of_the_job(
    jobs: DefaultJobManager,
    observatory: Observatory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    observatory.tracing.add_span_processor(Broken())
    async with Worker(jobs, tasks):
        assert await jobs.result(await jobs.submit(greet.job("Ada"))) == "Hello, Ada!"
    assert "telemetry failed" in caplog.text
