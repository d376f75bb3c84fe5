"""A submit is checked before anything is written, the same for all stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, NoReturn

import pytest
from pydantic import BaseModel, RootModel, field_serializer

from jobcore import (
    UNFINISHED,
    WAITING,
    DefaultJobManager,
    InvalidJobError,
    JobcoreConfig,
    JobRequest,
    JobStatus,
    Limit,
    Priority,
    Statistics,
    SubmitOptions,
    TooLargeError,
    UnsupportedError,
)
from tests.jobcore.faults import FaultyStore, PlainStore

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)


class Mail(BaseModel):
    to: str
    at: datetime | None = None
    more: Any = None

    @field_serializer("to")
    def write(self, to: str) -> str:
        if to == "nobody":
            raise ValueError(to)
        return to


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def cyclic() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["a"] = [value]
    return value


class NoHash(str):
    """A text that cannot be looked up."""

    __slots__ = ()

    def __hash__(self) -> int:
        raise ValueError


ARGUMENTS: list[Callable[[], Any]] = [
    lambda: None,
    list,
    lambda: [("a", 1)],
    lambda: "x",
    lambda: 7,
    lambda: True,
    lambda: {"a": float("inf")},
    lambda: {"a": float("nan")},
    lambda: {"a": 10**400},
    lambda: {"a": 2**64},
    lambda: {"a": "\0"},
    lambda: {"\0": "a"},
    lambda: {"a": "\ud800"},
    lambda: {1: "a"},
    lambda: {None: "a"},
    lambda: nested(65),
    lambda: nested(100_000),
    cyclic,
    lambda: {"a": b"bytes"},
    lambda: {"a": {1}},
    lambda: {"a": NOW},
    lambda: {"a": (each for each in [1])},
    lambda: {"a": object()},
    lambda: RootModel[list[int]]([1]),
    lambda: Mail(to="nobody"),
    lambda: Mail(to="a", more=object()),
    lambda: Mail(to="a", more=float("nan")),
    lambda: Mail(to="\0"),
]

OPTIONS: list[tuple[str, Any]] = [
    *(
        ("queue", name)
        for name in ("", " ", "a b", "q}x{", "a:b", "a\n", None, 0, b"q")
    ),
    ("queue", "x" * 65),
    ("queue", "\N{CYRILLIC SMALL LETTER A}"),
    *(("priority", n) for n in (2**15, -(2**15) - 1, 2**31, 10**5000, True, 1.5, "1")),
    ("priority", None),
    *(("max_retries", n) for n in (-1, 1001, 2**31, True, None, 1.0)),
    *(
        ("timeout", length)
        for length in (timedelta(0), -timedelta(1), timedelta.max, 5)
    ),
    *(("delay", length) for length in (-timedelta(1), timedelta.max, 5, "PT5S")),
    ("run_at", datetime(2030, 1, 1)),  # noqa: DTZ001 - the point
    ("run_at", NOW + timedelta(days=365_000)),
    ("run_at", datetime(1, 1, 1, tzinfo=UTC)),
    ("run_at", datetime(9999, 12, 31, tzinfo=UTC)),
    *(("run_at", value) for value in (date(2030, 1, 1), 1893456000, 1.5, "2030-01-01")),
    *(("unique_key", key) for key in ("", " a", "a\0", "\ud800", "x" * 256, 5, b"a")),
    *(("unique_scope", scope) for scope in (set(), {"queued"}, "queued", None)),
    ("unique_scope", {JobStatus.QUEUED}),
    *(("limit_key", key) for key in ("", "a\n", "x" * 256, 5)),
    *(("limit", limit) for limit in (5, Limit(concurrency=0), Limit(rate=0))),
    ("limit", Limit(rate=1, period=timedelta(0))),
    ("limit", Limit(burst=0)),
    *(("labels", labels) for labels in (5, None, ["a"], {"a b": "x"}, {"a": ""})),
    ("labels", {"a": 1}),
    ("labels", {1: "a"}),
    ("labels", {f"l{n}": "x" for n in range(33)}),
    ("queue", NoHash("mail")),
    ("prority", 1),
    ("id", "7"),
]


async def refused(jobs: DefaultJobManager, request: Any, **options: Any) -> str:
    """The refusal of *request* by every way to submit; nothing may be written."""
    with pytest.raises(InvalidJobError) as alone:
        await jobs.submit(request, **options)
    good: JobRequest[Any] = JobRequest("greet")
    with pytest.raises(InvalidJobError) as among:
        await jobs.submit_many([good, request.with_options(**options), good])
    assert alone.value.code in {"invalid_job", "too_large"}
    assert str(alone.value) == str(among.value)
    assert len(str(alone.value)) < 500
    assert await jobs.statistics() == Statistics()
    return alone.value.field


@pytest.mark.parametrize("make", ARGUMENTS, ids=range(len(ARGUMENTS)))
async def test_arguments_that_are_no_plain_object_are_refused(
    jobs: DefaultJobManager, make: Callable[[], Any]
) -> None:
    assert await refused(jobs, JobRequest("greet", make())) == "arguments"


@pytest.mark.parametrize(("option", "value"), OPTIONS, ids=range(len(OPTIONS)))
async def test_an_option_that_no_store_could_keep_is_refused(
    jobs: DefaultJobManager, option: str, value: Any
) -> None:
    if option == "timeout" and value is None:
        return
    field = await refused(jobs, JobRequest("greet"), **{option: value})
    known = option if option not in {"prority", "id"} else "options"
    assert field.startswith((known, "label"))


@pytest.mark.parametrize("task", ["", "a b", "os.system", "x" * 65, None, 5])
async def test_a_task_without_a_proper_name_is_refused(
    jobs: DefaultJobManager, task: Any
) -> None:
    assert await refused(jobs, JobRequest(task)) == "task"


async def test_the_size_of_arguments_is_limited_in_bytes(store: FaultyStore) -> None:
    config = JobcoreConfig(max_payload_size=20)
    async with DefaultJobManager(store, config) as jobs:
        with pytest.raises(TooLargeError) as caught:
            await jobs.submit(JobRequest("greet", {"a": "\N{EURO SIGN}" * 4 + "x"}))
        assert (caught.value.size, caught.value.limit) == (21, 20)
        assert caught.value.code == "too_large"
        assert await jobs.statistics() == Statistics()
        job = await jobs.submit(JobRequest("greet", {"a": "\N{EURO SIGN}" * 4}))
        assert len(job.payload) == 20


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("priority", -(2**15)),
        ("priority", 2**15 - 1),
        ("priority", Priority.BACKGROUND),
        ("max_retries", 0),
        ("max_retries", 1000),
        ("timeout", timedelta(microseconds=1)),
        ("timeout", None),
        ("unique_key", "x" * 255),
        ("unique_key", "%s {0.__class__} \N{SNOWMAN}"),
        ("unique_scope", WAITING),
        ("labels", {"a": "x" * 255}),
        ("limit_key", "tenant:7"),
    ],
)
async def test_an_option_at_its_limit_is_kept_as_it_is(
    jobs: DefaultJobManager, option: str, value: Any
) -> None:
    options: Any = {option: value}
    job = await jobs.submit(JobRequest("greet"), **options)
    assert getattr(await jobs.get(job.id), option) == value


async def test_names_that_differ_by_case_are_two_names(
    jobs: DefaultJobManager,
) -> None:
    for queue in ("Q", "q"):
        await jobs.submit(JobRequest("greet"), queue=queue)
    assert set((await jobs.statistics()).queues) == {"Q", "q"}


async def test_ten_thousand_queues_are_as_good_as_one(jobs: DefaultJobManager) -> None:
    await jobs.submit_many(
        JobRequest("greet", options={"queue": f"q{n}"}) for n in range(10_000)
    )
    assert len((await jobs.statistics()).queues) == 10_000


async def test_options_that_change_between_two_requests_count_as_they_are(
    jobs: DefaultJobManager,
) -> None:
    options: SubmitOptions = {}

    def stream() -> Iterator[JobRequest]:
        for number in range(3):
            options["queue"] = f"q{number}"
            yield JobRequest("greet", options=options)

    submitted = await jobs.submit_many(stream())
    assert [each.queue for each in submitted] == ["q0", "q1", "q2"]


async def test_the_options_of_a_request_are_never_those_of_one_that_is_gone(
    jobs: DefaultJobManager,
) -> None:
    """They may be where its own were."""
    again = [JobRequest("again")] * 9

    def stream() -> Iterator[JobRequest]:
        for number in range(100):
            yield JobRequest("own", options={"queue": f"q{number}"})
            yield from again

    submitted = await jobs.submit_many(stream())
    assert [each.queue for each in submitted[::10]] == [f"q{n}" for n in range(100)]


@pytest.mark.parametrize(
    "zone",
    [
        timezone(timedelta(hours=5, minutes=45)),
        timezone(timedelta(hours=14)),
        timezone(-timedelta(hours=12)),
        timezone(timedelta(seconds=1)),
    ],
    ids=str,
)
async def test_a_due_time_of_any_zone_is_kept_to_the_microsecond(
    jobs: DefaultJobManager, zone: timezone
) -> None:
    run_at = datetime(2038, 1, 19, 3, 14, 8, 999_999, tzinfo=zone)
    job = await jobs.submit(JobRequest("greet"), run_at=run_at)
    assert job.due_at == run_at
    assert job.due_at.tzinfo is UTC
    assert job.status is JobStatus.SCHEDULED


async def test_a_due_time_in_the_past_means_now(jobs: DefaultJobManager) -> None:
    past = NOW - timedelta(days=3650)
    job = await jobs.submit(JobRequest("greet"), run_at=past)
    assert job.status is JobStatus.QUEUED


async def test_a_due_time_goes_before_a_delay(jobs: DefaultJobManager) -> None:
    day = timedelta(days=1)
    job = await jobs.submit(JobRequest("greet"), run_at=NOW - day, delay=day)
    assert job.status is JobStatus.QUEUED
    job = await jobs.submit(JobRequest("greet"), delay=day)
    assert job.status is JobStatus.SCHEDULED
    assert day <= job.due_at - NOW < 2 * day


async def test_what_is_not_given_comes_from_the_configuration(
    store: FaultyStore,
) -> None:
    config = JobcoreConfig(default_queue="other", default_max_retries=7)
    async with DefaultJobManager(store, config) as jobs:
        job = await jobs.submit(JobRequest("greet"))
    assert (job.queue, job.max_retries, job.priority) == ("other", 7, 0)
    assert (job.unique_key, job.unique_scope) == (None, UNFINISHED)
    assert (job.timeout, job.limit_key, job.limit, job.labels) == (None, None, None, {})
    assert job.arguments == {}


async def test_a_model_may_be_published_by_the_name_of_a_task(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(JobRequest("send", Mail(to="ada", at=NOW, more=[1])))
    assert Mail.model_validate(job.arguments) == Mail(to="ada", at=NOW, more=[1])


async def test_a_limit_without_a_key_is_that_of_the_task(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(JobRequest("greet"), limit=Limit(concurrency=1))
    assert job.limit_key == "task:greet"


async def test_a_limit_is_refused_where_the_store_has_none() -> None:
    async with PlainStore() as store, DefaultJobManager(store) as jobs:
        request: JobRequest[Any] = JobRequest("greet")
        for options in ({"limit": Limit(concurrency=1)}, {"limit_key": "smtp"}):
            with pytest.raises(UnsupportedError) as caught:
                await jobs.submit(request.with_options(**options))
            assert caught.value.code == "unsupported"
            assert (caught.value.store, caught.value.ability) == (
                "PlainStore",
                "QueueControl",
            )
        assert await jobs.statistics() == Statistics()
        assert (await jobs.submit(JobRequest("greet"))).status is JobStatus.QUEUED


async def test_a_source_of_requests_that_fails_leaves_nothing(
    jobs: DefaultJobManager,
) -> None:
    def requests() -> NoReturn:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await jobs.submit_many(requests())
    assert await jobs.statistics() == Statistics()
