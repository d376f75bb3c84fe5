"""Settings: from arguments, else the environment, else a TOML file, else defaults."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from jobcore.job import TERMINAL, JobStatus


def _seconds(value: object) -> object:
    """Numbers as the environment has them, which pydantic takes for ISO 8601."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _for_ever(value: object) -> object:
    return None if value == "none" else value


Length = Annotated[timedelta, BeforeValidator(_seconds)]
Duration = Annotated[Length, Field(gt=timedelta(0), le=timedelta(days=366))]
Retention = Annotated[Duration | None, BeforeValidator(_for_ever)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class RetentionRule(BaseModel):
    """How long finished jobs of a *queue* (each for None) with one of *statuses* are
    kept, and how *most*: beyond that, those that finished first are deleted."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    queue: str | None = None
    statuses: frozenset[JobStatus] = TERMINAL
    age: Retention = None
    most: int | None = Field(default=None, ge=0)

    def holds(self, status: JobStatus, queue: str | None) -> bool:
        """Whether it is about such jobs."""
        return self.queue in {None, queue} and status in self.statuses


class JobcoreConfig(BaseSettings):
    """How manager and workers behave.

    Each setting is an argument, an environment variable `JOBCORE_<NAME>`, or a line of
    `jobcore.toml` in the working directory; lengths of time are seconds or ISO 8601.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="jobcore_", toml_file="jobcore.toml", frozen=True, extra="forbid"
    )

    store_url: str = "memory://"
    """Which store, and where it is."""

    default_queue: str = "default"
    default_max_retries: int = Field(default=3, ge=0, le=1000)
    retry_delay_base: Duration = timedelta(seconds=2)
    retry_delay_cap: Duration = timedelta(hours=1)

    job_claim_timeout: Duration = timedelta(seconds=30)
    """The lease: how long a claim lasts unless it is renewed, every third of it."""
    max_concurrent_jobs: Count = 10
    """How many handlers a worker runs at a time."""
    max_claim_batch_size: Count = 100
    job_prefetch: int | None = Field(default=None, ge=0, le=10_000)
    """How many claimed jobs may wait in a worker for a slot; by default as many as it
    has slots."""
    job_polling_interval: Duration = timedelta(seconds=1)
    """How often queues are asked for by the idle workers of a manager, where no wake-up
    reaches them."""
    schedule_check_interval: Duration = timedelta(seconds=5)
    """How often managers look for schedules that others have made or changed."""
    stale_job_claim_check_interval: Duration = timedelta(seconds=5)
    prune_interval: Duration = timedelta(minutes=1)
    priority_ageing: Duration | None = None
    """How long a queued job waits before it becomes as urgent as those of the next
    preset of priorities; then again, until it is critical. None leaves priorities."""
    max_lost: Count = 3
    """After how many lost claims a job fails."""
    unknown_task_delay: Duration = timedelta(seconds=10)
    """How long a job rests whose task the worker that claimed it does not have."""
    shutdown_grace_period: Length = Field(
        default=timedelta(seconds=10), ge=timedelta(0)
    )
    store_retry_timeout: Duration = timedelta(seconds=30)
    """How long a call is repeated while the store is unavailable."""

    retention_completed: Retention = timedelta(days=7)
    retention_failed: Retention = timedelta(days=30)
    retention_canceled: Retention = timedelta(days=7)
    """How long finished jobs are kept; None, as text "none", keeps them for ever."""
    retention: tuple[RetentionRule, ...] = ()
    """Rules that go before these, the first that holds for a queue and a status. With
    any of them, queues are pruned one by one."""

    max_payload_size: Count = 256 * 1024
    max_result_size: Count = 256 * 1024
    max_outcome_backlog: Count = 10_000
    """How many ended jobs a worker may have unreported before it claims no more."""

    @model_validator(mode="after")
    def _lease_is_long_enough(self) -> Self:
        if self.job_claim_timeout < timedelta(milliseconds=300):
            problem = "job_claim_timeout must be at least 0.3 seconds"
            raise ValueError(problem)
        return self

    def retention_of(self, status: JobStatus, queue: str | None) -> RetentionRule:
        """What holds for finished jobs of *queue* with *status*."""
        ages = {
            JobStatus.COMPLETED: self.retention_completed,
            JobStatus.FAILED: self.retention_failed,
            JobStatus.CANCELED: self.retention_canceled,
        }
        usual = RetentionRule(age=ages.get(status))
        return next((x for x in self.retention if x.holds(status, queue)), usual)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        toml: Any = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, toml
