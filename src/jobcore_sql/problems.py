"""Why a database cannot be used from here."""

from __future__ import annotations

from typing import Final

NEVER_OPENED: Final = "it is not open; use it inside `async with`"
CLOSED: Final = "it was closed"
OTHER_PROCESS: Final = "it was opened in another process"
OTHER_LOOP: Final = "it was opened in another event loop"
OPEN: Final = "it is open already"
