"""Every error that jobcore raises: data first, a stable code, one sentence."""

from __future__ import annotations

from typing import ClassVar


class JobcoreError(Exception):
    """The root of all errors of jobcore; `code` never changes between releases."""

    code: ClassVar[str] = "jobcore"


class JobNotFoundError(JobcoreError, LookupError):
    """No job has this id: it never existed, was deleted, or was pruned."""

    code = "job_not_found"

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"there is no job {self.job_id}"


class JobConflictError(JobcoreError):
    """The job is not, or no longer, in a state that allows this; nothing changed.

    `problem` is the expectation that failed, as the store names it (`status`,
    `token`, `generation`, `unique_key`, `locked`, ...).
    """

    code = "job_conflict"

    def __init__(self, job_id: str, act: str, problem: str) -> None:
        super().__init__(job_id, act, problem)
        self.job_id = job_id
        self.act = act
        self.problem = problem

    def __str__(self) -> str:
        return f"cannot {self.act} job {self.job_id}: {self.problem} does not allow it"


class ClaimLostError(JobConflictError):
    """The claim was ended or replaced by somebody else; nothing changed."""

    code = "claim_lost"

    def __str__(self) -> str:
        return f"cannot {self.act} job {self.job_id}: its claim was lost"


class TransitionError(JobcoreError):
    """The table of the lifecycle has no such step."""

    code = "transition"

    def __init__(self, status: str, event: str) -> None:
        super().__init__(status, event)
        self.status = status
        self.event = event

    def __str__(self) -> str:
        return f"a job that is {self.status} cannot {self.event}"


class InvalidJobError(JobcoreError, ValueError):
    """What was given cannot be stored; it was refused before anything was written."""

    code = "invalid_job"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field} {self.problem}"


class TooLargeError(InvalidJobError):
    """The encoded value has `size` bytes, and `limit` is the most allowed."""

    code = "too_large"

    def __init__(self, field: str, size: int, limit: int) -> None:
        JobcoreError.__init__(self, field, size, limit)
        self.field = field
        self.problem: str = f"has {size} bytes, and {limit} is the limit"
        self.size = size
        self.limit = limit


class ScheduleNotFoundError(JobcoreError, LookupError):
    """No schedule has this name."""

    code = "schedule_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no schedule {self.name!r}"


class ScheduleConflictError(JobcoreError):
    """The schedule was changed by others all the time; nothing changed by this."""

    code = "schedule_conflict"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"schedule {self.name!r} is changed by others all the time"


class JobFailedError(JobcoreError):
    """The job whose result was awaited has failed for good."""

    code = "job_failed"

    def __init__(self, job_id: str, error_type: str, message: str) -> None:
        super().__init__(job_id, error_type, message)
        self.job_id = job_id
        self.error_type = error_type
        self.message = message

    def __str__(self) -> str:
        return f"job {self.job_id} failed: {self.error_type}: {self.message}"


class JobCanceledError(JobcoreError):
    """The job whose result was awaited was canceled."""

    code = "job_canceled"

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"job {self.job_id} was canceled"


class TaskNameError(JobcoreError, ValueError):
    """Two tasks have names that people and tools would take for one."""

    code = "task_name"

    def __init__(self, name: str, existing: str) -> None:
        super().__init__(name, existing)
        self.name = name
        self.existing = existing

    def __str__(self) -> str:
        return f"task name {self.name!r} is too close to {self.existing!r}"


class UnknownTaskError(JobcoreError, LookupError):
    """No task of this name is registered here."""

    code = "unknown_task"

    def __init__(self, task: str) -> None:
        super().__init__(task)
        self.task = task

    def __str__(self) -> str:
        return f"there is no task {self.task!r} here"


class StoreError(JobcoreError):
    """The store refused or failed; repeating the call would not help."""

    code = "store"

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"the store failed: {self.problem}"


class StoreUnavailableError(StoreError):
    """The store did not answer; the outcome is unknown and the call worth repeating."""

    code = "store_unavailable"

    def __str__(self) -> str:
        return f"the store is unavailable: {self.problem}"


class StoreNotOpenError(StoreError):
    """The store is used before it was opened, after it was closed, or elsewhere."""

    code = "store_not_open"

    def __str__(self) -> str:
        return f"the store cannot be used here: {self.problem}"


class SchemaVersionError(StoreError):
    """The data were written by another release than this one can work with."""

    code = "schema_version"

    def __init__(self, found: str, expected: str) -> None:
        JobcoreError.__init__(self, found, expected)
        self.problem: str = f"its schema is {found}, and this release needs {expected}"
        self.found = found
        self.expected = expected


class UnknownStoreError(JobcoreError, LookupError):
    """No installed distribution offers a store for this URL."""

    code = "unknown_store"

    def __init__(self, scheme: str, known: tuple[str, ...]) -> None:
        super().__init__(scheme, known)
        self.scheme = scheme
        self.known = known

    def __str__(self) -> str:
        return f"no store for {self.scheme!r}; installed are: {', '.join(self.known)}"


class UnsupportedError(JobcoreError):
    """The store lacks an ability that was asked for."""

    code = "unsupported"

    def __init__(self, store: str, ability: str) -> None:
        super().__init__(store, ability)
        self.store = store
        self.ability = ability

    def __str__(self) -> str:
        return f"{self.store} does not support {self.ability}"
