"""The fixtures, which import jobcore when the first test asks for one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from jobcore import DefaultJobManager, JobcoreConfig

_ASYNCIO: Final = "asyncio"
"""What pytest-asyncio calls its plugin."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the URL of the place where tests have their stores."""
    parser.getgroup("jobcore").addoption(
        "--jobcore-store-url",
        metavar="URL",
        help="where the tests have their stores, each one of its own; by default "
        "where the configuration of jobcore says, else in memory",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Have a fixture for pytest-asyncio, where that is there."""
    if config.pluginmanager.hasplugin(_ASYNCIO):
        from jobcore_pytest import asyncio_fixture  # noqa: PLC0415 - needs that plugin

        config.pluginmanager.register(asyncio_fixture)


@pytest.fixture
def jobcore_config(request: pytest.FixtureRequest) -> JobcoreConfig:
    """The settings of `jobcore_manager`: those of the configuration, at the place that
    `--jobcore-store-url` names, if it does. Tests that need others override this."""
    from jobcore import JobcoreConfig  # noqa: PLC0415 - whoever asks for none pays nothing

    url = request.config.getoption("jobcore_store_url")
    return JobcoreConfig() if url is None else JobcoreConfig(store_url=url)


@pytest.fixture
def jobcore_manager(request: pytest.FixtureRequest) -> DefaultJobManager:
    """An open manager on a store of the test's own, which is empty, at the place that
    `jobcore_config` names, and gone afterwards. The test is run by the plugin of anyio
    or of pytest-asyncio, in whose event loop the manager is."""
    if "anyio_backend" in request.fixturenames:
        name = "_jobcore_manager_of_anyio"
    elif request.config.pluginmanager.hasplugin(_ASYNCIO):
        name = "_jobcore_manager_of_asyncio"
    else:
        pytest.fail("jobcore_manager needs a test marked by anyio, or pytest-asyncio")
    manager: DefaultJobManager = request.getfixturevalue(name)
    return manager


@pytest.fixture
async def _jobcore_manager_of_anyio(
    jobcore_config: JobcoreConfig,
    anyio_backend: Any,  # noqa: ARG001 - in whose event loop it is opened
) -> AsyncIterator[DefaultJobManager]:
    from jobcore_pytest.opening import opened  # noqa: PLC0415 - as above

    async with opened(jobcore_config) as manager:
        yield manager
