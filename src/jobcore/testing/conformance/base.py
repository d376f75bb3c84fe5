"""What all classes of the kit share."""

from __future__ import annotations

import pytest


@pytest.mark.anyio
class Conformance:
    """Runs its tests in an asyncio loop; they ask for a fixture `store`."""

    @pytest.fixture(scope="session")
    @classmethod
    def anyio_backend(cls) -> str:
        """The one loop that jobcore runs in; fixtures of any scope may ask for it."""
        return "asyncio"
