"""The tests that stores inherit: one class for the contract, one per ability.

They are put together from the rules of each method, which have a module each.
"""

from jobcore.testing.conformance.apply import ApplyRules
from jobcore.testing.conformance.claim import ClaimRules
from jobcore.testing.conformance.concurrency import ConcurrencyRules
from jobcore.testing.conformance.counts import StatisticsRules
from jobcore.testing.conformance.delete import DeleteRules
from jobcore.testing.conformance.directory import WorkerDirectoryConformance
from jobcore.testing.conformance.effect import EffectRules
from jobcore.testing.conformance.explainable import ExplainableConformance
from jobcore.testing.conformance.find import FindRules
from jobcore.testing.conformance.get import GetRules
from jobcore.testing.conformance.insert import InsertRules
from jobcore.testing.conformance.instant import AN_INSTANT, OneInstantConformance
from jobcore.testing.conformance.lift import LiftRules
from jobcore.testing.conformance.moving import MovingRules
from jobcore.testing.conformance.pause import PauseRules
from jobcore.testing.conformance.promote import PromoteRules
from jobcore.testing.conformance.rate import RateRules
from jobcore.testing.conformance.receipt import ReceiptRules
from jobcore.testing.conformance.renew import ExpiredRules, RenewRules
from jobcore.testing.conformance.reopening import Opening, ReopeningConformance
from jobcore.testing.conformance.repeated import RepeatedClaimRules
from jobcore.testing.conformance.schedules import ScheduleConformance
from jobcore.testing.conformance.soundness import VerifiableConformance
from jobcore.testing.conformance.surroundings import SurroundingRules
from jobcore.testing.conformance.transactional import TransactionalConformance
from jobcore.testing.conformance.trial import TrialConformance
from jobcore.testing.conformance.unique import UniqueKeyRules


class StoreConformance(
    InsertRules,
    UniqueKeyRules,
    GetRules,
    ClaimRules,
    RepeatedClaimRules,
    ApplyRules,
    EffectRules,
    ReceiptRules,
    MovingRules,
    RenewRules,
    ExpiredRules,
    PromoteRules,
    FindRules,
    StatisticsRules,
    DeleteRules,
    SurroundingRules,
):
    """The tests of `JobStore`; see `jobcore.testing`."""


class QueueControlConformance(PauseRules, ConcurrencyRules, LiftRules, RateRules):
    """The tests of `QueueControl`; see `jobcore.testing`."""


__all__ = [
    "AN_INSTANT",
    "ExplainableConformance",
    "OneInstantConformance",
    "Opening",
    "QueueControlConformance",
    "ReopeningConformance",
    "ScheduleConformance",
    "StoreConformance",
    "TransactionalConformance",
    "TrialConformance",
    "VerifiableConformance",
    "WorkerDirectoryConformance",
]
