"""Settings: arguments over environment over TOML over defaults."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jobcore import JobcoreConfig


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_the_defaults_are_those_of_the_design() -> None:
    config = JobcoreConfig()
    assert config.store_url == "memory://"
    assert config.default_max_retries == 3
    assert config.retry_delay_base == seconds(2)
    assert config.job_claim_timeout == seconds(30)
    assert config.max_concurrent_jobs == 10
    assert config.job_polling_interval == seconds(1)
    assert config.max_lost == 3


def test_an_argument_goes_before_the_environment_and_that_before_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("jobcore.toml").write_text(
        'store_url = "sqlite:///toml.db"\nmax_lost = 5\nmax_concurrent_jobs = 6\n'
    )
    monkeypatch.setenv("JOBCORE_STORE_URL", "sqlite:///environment.db")
    monkeypatch.setenv("JOBCORE_MAX_CONCURRENT_JOBS", "7")
    config = JobcoreConfig(store_url="sqlite:///argument.db")
    assert config.store_url == "sqlite:///argument.db"
    assert config.max_concurrent_jobs == 7
    assert config.max_lost == 5
    assert config.default_queue == "default"


@pytest.mark.parametrize(
    ("text", "length"), [("5", 5), ("0.5", 0.5), ("PT5S", 5), ("00:01:00", 60)]
)
def test_a_length_is_seconds_or_iso_8601(
    monkeypatch: pytest.MonkeyPatch, text: str, length: float
) -> None:
    monkeypatch.setenv("JOBCORE_JOB_POLLING_INTERVAL", text)
    monkeypatch.setenv("JOBCORE_SHUTDOWN_GRACE_PERIOD", text)
    config = JobcoreConfig()
    assert config.job_polling_interval == seconds(length)
    assert config.shutdown_grace_period == seconds(length)


def test_a_file_may_give_lengths_as_numbers_and_text() -> None:
    Path("jobcore.toml").write_text(
        'retry_delay_base = 0.5\nretry_delay_cap = "PT1M"\nretention_failed = "none"\n'
    )
    config = JobcoreConfig()
    assert config.retry_delay_base == seconds(0.5)
    assert config.retry_delay_cap == seconds(60)
    assert config.retention_failed is None


def test_jobs_may_be_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBCORE_RETENTION_CANCELED", "none")
    config = JobcoreConfig(retention_completed=None)
    assert config.retention_completed is None
    assert config.retention_canceled is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("job_polling_interval", 0),
        ("job_polling_interval", -1),
        ("job_polling_interval", "nan"),
        ("job_polling_interval", "soon"),
        ("job_claim_timeout", 0),
        ("job_claim_timeout", -1),
        ("job_claim_timeout", timedelta(milliseconds=1)),
        ("job_claim_timeout", timedelta(days=3650)),
        ("retry_delay_base", 0),
        ("retry_delay_cap", -1),
        ("retention_completed", 0),
        ("retention_failed", -1),
        ("retention_canceled", timedelta.max),
        ("shutdown_grace_period", -1),
        ("max_concurrent_jobs", 0),
        ("max_concurrent_jobs", -1),
        ("max_concurrent_jobs", 2**31),
        ("max_claim_batch_size", 0),
        ("job_prefetch", -1),
        ("default_max_retries", -1),
        ("default_max_retries", 2**31),
        ("max_lost", 0),
        ("max_payload_size", 0),
        ("max_polling", 1),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(
    setting: str, value: Any
) -> None:
    with pytest.raises(ValidationError, match=setting):
        JobcoreConfig(**{setting: value})


def test_a_setting_of_the_file_that_does_not_exist_is_refused() -> None:
    Path("jobcore.toml").write_text("max_concurent_jobs = 5\n")
    with pytest.raises(ValidationError, match="max_concurent_jobs"):
        JobcoreConfig()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        JobcoreConfig().max_lost = 5
