"""All mutants."""

from __future__ import annotations

from typing import Final

from tools.mutants.catalogue.command import COMMANDS
from tools.mutants.catalogue.core import CORE
from tools.mutants.catalogue.manager import MANAGERS
from tools.mutants.catalogue.memory import MEMORIES
from tools.mutants.catalogue.mysql import MYSQLS
from tools.mutants.catalogue.postgresql import POSTGRESQLS
from tools.mutants.catalogue.record import RECORDS
from tools.mutants.catalogue.recurring import RECURRENCES
from tools.mutants.catalogue.redis import REDISES
from tools.mutants.catalogue.sql import SQL
from tools.mutants.catalogue.telemetry import TELEMETRIES
from tools.mutants.catalogue.worker import WORKERS
from tools.mutants.catalogue.wrappers import WRAPPERS
from tools.mutants.mutant import Mutant

ALONE: Final[tuple[Mutant, ...]] = (
    *WORKERS,
    *COMMANDS,
    *MANAGERS,
    *CORE,
    *RECORDS,
    *MEMORIES,
    *RECURRENCES,
    *WRAPPERS,
    *TELEMETRIES,
    *SQL,
)
"""What is noticed without a server. The first leave most tests waiting, which costs
nothing while others go on."""
MUTANTS: Final[tuple[Mutant, ...]] = (*ALONE, *POSTGRESQLS, *MYSQLS, *REDISES)
