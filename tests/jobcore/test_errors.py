"""Errors carry data, a stable code and one sentence."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

import jobcore
from jobcore import (
    ClaimLostError,
    InvalidJobError,
    JobCanceledError,
    JobConflictError,
    JobcoreError,
    JobFailedError,
    JobNotFoundError,
    ScheduleConflictError,
    ScheduleNotFoundError,
    SchemaVersionError,
    StoreError,
    StoreNotOpenError,
    StoreUnavailableError,
    TaskNameError,
    TooLargeError,
    TransitionError,
    UnknownStoreError,
    UnknownTaskError,
    UnsupportedError,
)

ERRORS = [
    (JobNotFoundError("7"), "job_not_found", "there is no job 7"),
    (
        JobConflictError("7", "cancel", "status completed"),
        "job_conflict",
        "cannot cancel job 7: status completed does not allow it",
    ),
    (
        ClaimLostError("7", "complete", "token"),
        "claim_lost",
        "cannot complete job 7: its claim was lost",
    ),
    (
        ScheduleNotFoundError("nightly"),
        "schedule_not_found",
        "there is no schedule 'nightly'",
    ),
    (
        ScheduleConflictError("nightly"),
        "schedule_conflict",
        "schedule 'nightly' is changed by others all the time",
    ),
    (
        TransitionError("held", "complete"),
        "transition",
        "a job that is held cannot complete",
    ),
    (InvalidJobError("queue", "is odd"), "invalid_job", "queue is odd"),
    (
        TooLargeError("arguments", 11, 10),
        "too_large",
        "arguments has 11 bytes, and 10 is the limit",
    ),
    (
        JobFailedError("7", "ValueError", "no"),
        "job_failed",
        "job 7 failed: ValueError: no",
    ),
    (JobCanceledError("7"), "job_canceled", "job 7 was canceled"),
    (
        TaskNameError("joe_does", "joe-does"),
        "task_name",
        "task name 'joe_does' is too close to 'joe-does'",
    ),
    (UnknownTaskError("x"), "unknown_task", "there is no task 'x' here"),
    (StoreError("full"), "store", "the store failed: full"),
    (StoreUnavailableError("gone"), "store_unavailable", "the store is unavailable"),
    (StoreNotOpenError("closed"), "store_not_open", "cannot be used here: closed"),
    (
        SchemaVersionError("9", "2"),
        "schema_version",
        "its schema is 9, and this release needs 2",
    ),
    (
        UnknownStoreError("oracle", ("memory", "sqlite")),
        "unknown_store",
        "no store for 'oracle'; installed are: memory, sqlite",
    ),
    (
        UnsupportedError("PlainStore", "QueueControl"),
        "unsupported",
        "PlainStore does not support QueueControl",
    ),
]


def classes(root: type[JobcoreError]) -> Iterator[type[JobcoreError]]:
    yield root
    for each in root.__subclasses__():
        yield from classes(each)


@pytest.mark.parametrize(("error", "code", "sentence"), ERRORS)
def test_an_error_says_what_is_wrong_under_a_stable_code(
    error: JobcoreError, code: str, sentence: str
) -> None:
    assert error.code == code
    assert sentence in str(error)


@pytest.mark.parametrize("error", [each[0] for each in ERRORS])
def test_an_error_survives_the_way_between_processes(error: JobcoreError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made one line above
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_every_error_is_public_and_listed_here() -> None:
    all_of_them = {
        each for each in classes(JobcoreError) if each.__module__ == "jobcore.errors"
    }
    assert all(getattr(jobcore, each.__name__) is each for each in all_of_them)
    assert {type(error) for error, _, _ in ERRORS} == all_of_them - {JobcoreError}


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [code for _, code, _ in ERRORS]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("error", "usual"),
    [
        (InvalidJobError, ValueError),
        (TaskNameError, ValueError),
        (JobNotFoundError, LookupError),
        (UnknownTaskError, LookupError),
        (ScheduleNotFoundError, LookupError),
        (UnknownStoreError, LookupError),
        (TooLargeError, InvalidJobError),
        (ClaimLostError, JobConflictError),
        (StoreUnavailableError, StoreError),
    ],
)
def test_an_error_is_also_what_one_would_catch(
    error: type[Exception], usual: type[Exception]
) -> None:
    assert issubclass(error, usual)
