"""The ability `Explainable`, on top of pauses and limits."""

from __future__ import annotations

from datetime import datetime
from itertools import islice, takewhile

from jobcore import Explainable, JobStatus, Limited
from jobcore_lmdb.control import ControlledLMDBJobStore, Gate
from jobcore_lmdb.keys import QUEUED, RUNNING, SCHEDULED, digest, places
from jobcore_lmdb.ledger import Ledger
from jobcore_lmdb.store import reading


def _clock(ledger: Ledger) -> datetime:
    return ledger.now


def _ahead(ledger: Ledger, job_id: str, most: int) -> int | None:
    record = ledger.find(job_id)
    if record is None or record.job.status is not JobStatus.QUEUED:
        return None
    own = next(places(record))
    line = (key for key, _ in ledger.scan(QUEUED + digest(record.job.queue)))
    return sum(1 for _ in islice(takewhile(lambda key: key < own, line), most))


def _next_due_at(ledger: Ledger) -> datetime | None:
    first = next(ledger.records(SCHEDULED), None)
    return None if first is None else first.job.due_at


def _limited(ledger: Ledger, key: str, most: int) -> Limited:
    gate = Gate(ledger)
    running = islice(ledger.scan(RUNNING + digest(key)), most)
    ids = tuple(name.decode() for _, name in running)
    return Limited(running=ids, limit=gate.set_for(key), pace=gate.pace_of(key))


class ExplainableLMDBJobStore(ControlledLMDBJobStore, Explainable):
    """Keeps jobs in an LMDB file, and can tell why they wait."""

    clock = reading(_clock)
    ahead = reading(_ahead)
    next_due_at = reading(_next_due_at)
    limited = reading(_limited)
