"""Background jobs for async services: one contract, any store."""

from jobcore.abilities import (
    DueSchedules,
    Examinable,
    Explainable,
    InsertStatement,
    InTransaction,
    Limited,
    Paused,
    QueueControl,
    ScheduleRecord,
    ScheduleStore,
    StatementStore,
    TransactionalStore,
    TrialStore,
    Verifiable,
    Verification,
    WorkerDirectory,
    WorkerRecord,
)
from jobcore.attempt import Attempt, ErrorDetail, Outcome
from jobcore.call_timeout import CallTimeout
from jobcore.claim import Claim, ClaimRequest, ClaimResult, Promotion, Renewal
from jobcore.config import JobcoreConfig, RetentionRule
from jobcore.context import JobContext, Resource, current_job
from jobcore.default_manager import DefaultJobManager, open_manager
from jobcore.details import Details, LogLine, OperatorAct, Progress
from jobcore.errors import (
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
from jobcore.events import Event, EventKind, Events
from jobcore.explanation import MOST_AHEAD, Cause, Explanation
from jobcore.finding import Fault, Finding, Severity
from jobcore.health import Health, HealthChecks
from jobcore.identity import Tick
from jobcore.instrumentation import Instrumentation
from jobcore.job import (
    TERMINAL,
    UNFINISHED,
    WAITING,
    Inserted,
    Job,
    JobStatus,
    Limit,
    NewJob,
    Priority,
)
from jobcore.lifecycle import JobEvent
from jobcore.manager import JobManager, JobTransaction
from jobcore.matching import Matching
from jobcore.memory import InMemoryJobStore
from jobcore.query import Filter, Page, QueueStatistics, Statistics
from jobcore.rate import Pace
from jobcore.record import JobRecord
from jobcore.recurrence import Cron, Every, Misfire, Overlap, Recurrence
from jobcore.registry import register_store, store_from_url
from jobcore.report import Report
from jobcore.request import JobRequest, SubmitOptions
from jobcore.retry import (
    Retry,
    RetryStrategy,
    decorrelated,
    exponential,
    fixed,
    linear,
    never,
    polynomial,
)
from jobcore.schedule import Fired, Schedule
from jobcore.scheduling import InOrder, InTurn, SchedulingStrategy, Weighted
from jobcore.shield import Shield
from jobcore.store import JobStore
from jobcore.tasks import Task, TaskOptions, Tasks
from jobcore.transition import Answer, Changes, Expectation, Transition
from jobcore.worker import Worker

__all__ = [
    # tasks and workers
    "JobContext",
    "JobRequest",
    "Resource",
    "SubmitOptions",
    "Task",
    "TaskOptions",
    "Tasks",
    "Worker",
    "current_job",
    # the manager and its strategies
    "DefaultJobManager",
    "InOrder",
    "InTurn",
    "JobManager",
    "JobTransaction",
    "JobcoreConfig",
    "Matching",
    "RetentionRule",
    "Retry",
    "RetryStrategy",
    "SchedulingStrategy",
    "Weighted",
    "decorrelated",
    "exponential",
    "fixed",
    "linear",
    "never",
    "open_manager",
    "polynomial",
    "register_store",
    "store_from_url",
    # recurring work
    "Cron",
    "Every",
    "Misfire",
    "Overlap",
    "Recurrence",
    "Schedule",
    # what happens
    "Event",
    "EventKind",
    "Events",
    # why something does not happen
    "Cause",
    "Explanation",
    "Fault",
    "Finding",
    "MOST_AHEAD",
    "Severity",
    "Health",
    "HealthChecks",
    "Instrumentation",
    # the nouns
    "Attempt",
    "Details",
    "ErrorDetail",
    "Job",
    "JobEvent",
    "JobStatus",
    "Limit",
    "LogLine",
    "NewJob",
    "OperatorAct",
    "Outcome",
    "Priority",
    "Progress",
    "Report",
    "TERMINAL",
    "UNFINISHED",
    "WAITING",
    # the contract of a store
    "Answer",
    "CallTimeout",
    "Changes",
    "Claim",
    "ClaimRequest",
    "ClaimResult",
    "DueSchedules",
    "Examinable",
    "Expectation",
    "Explainable",
    "Filter",
    "Fired",
    "InMemoryJobStore",
    "InTransaction",
    "InsertStatement",
    "Inserted",
    "JobRecord",
    "JobStore",
    "Limited",
    "Pace",
    "Page",
    "Paused",
    "Promotion",
    "QueueControl",
    "QueueStatistics",
    "Renewal",
    "ScheduleRecord",
    "ScheduleStore",
    "Shield",
    "StatementStore",
    "Statistics",
    "TransactionalStore",
    "Tick",
    "Transition",
    "TrialStore",
    "Verifiable",
    "Verification",
    "WorkerDirectory",
    "WorkerRecord",
    # the errors
    "ClaimLostError",
    "InvalidJobError",
    "JobCanceledError",
    "JobConflictError",
    "JobFailedError",
    "JobNotFoundError",
    "JobcoreError",
    "ScheduleConflictError",
    "ScheduleNotFoundError",
    "SchemaVersionError",
    "StoreError",
    "StoreNotOpenError",
    "StoreUnavailableError",
    "TaskNameError",
    "TooLargeError",
    "TransitionError",
    "UnknownStoreError",
    "UnknownTaskError",
    "UnsupportedError",
]
