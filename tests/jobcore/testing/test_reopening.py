"""A store that forgets when it is closed does not pass."""

from __future__ import annotations

import pytest

from jobcore import InMemoryJobStore
from jobcore.testing import ReopeningConformance

pytestmark = pytest.mark.anyio

RULES = sorted(name for name in dir(ReopeningConformance) if name.startswith("test_"))


@pytest.mark.parametrize("rule", RULES)
async def test_each_rule_fails_for_a_store_in_memory(rule: str) -> None:
    test = getattr(ReopeningConformance(), rule)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await test(InMemoryJobStore)
