"""The store that a command works on, and a manager for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tomllib import TOMLDecodeError
from typing import Annotated

from cyclopts import Parameter
from pydantic import ValidationError

from jobcore.cli.mistakes import MistakeError
from jobcore.config import JobcoreConfig
from jobcore.default_manager import DefaultJobManager, open_manager

StoreUrl = Annotated[
    str | None,
    Parameter(
        name="--store",
        help="URL of the store; else JOBCORE_STORE_URL, else jobcore.toml, names it.",
    ),
]


def settings(store: str | None) -> JobcoreConfig:
    """The configuration, in which *store* goes before all else that names one.
    MistakeError where nothing does, or where a setting cannot be read."""
    try:
        config = JobcoreConfig() if store is None else JobcoreConfig(store_url=store)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "the configuration"
        raise MistakeError(f"setting {name}:", first["msg"]) from error
    except TOMLDecodeError as error:
        raise MistakeError("jobcore.toml", f"cannot be read: {error}") from error
    if "store_url" not in config.model_fields_set:
        raise MistakeError(
            "no store is named:",
            "say --store URL, or set JOBCORE_STORE_URL, or store_url in jobcore.toml",
        )
    return config


@asynccontextmanager
async def opened(store: str | None) -> AsyncIterator[DefaultJobManager]:
    """A manager on the store that `settings` finds; both are closed in the end."""
    config = settings(store)
    async with open_manager(config.store_url, config) as manager:
        yield manager
