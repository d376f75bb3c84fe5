"""A transaction, in which records, their places and the counts agree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import lmdb

from jobcore import JobRecord
from jobcore_lmdb.keys import COUNT, JOB, digest, places


@dataclass(frozen=True, slots=True)
class Ledger:
    """What one transaction sees, at its instant *now*."""

    transaction: lmdb.Transaction
    now: datetime

    def get(self, key: bytes) -> bytes | None:
        value = self.transaction.get(key)
        return None if value is None else bytes(value)

    def find(self, job_id: str) -> JobRecord | None:
        stored = self.get(JOB + job_id.encode())
        return None if stored is None else JobRecord.model_validate_json(stored)

    def at(self, name: bytes) -> JobRecord:
        """The record of an id as it was read at a place."""
        return JobRecord.model_validate_json(self.get(JOB + name) or b"")

    def holder(self, place: bytes) -> JobRecord | None:
        """Whose place it is, where a place is one job's at most."""
        name = self.get(place)
        return None if name is None else self.at(name)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Keys that begin with *prefix*, from *start* on, and their values. Nothing may
        be written before the last that is read."""
        with self.transaction.cursor() as cursor:
            if cursor.set_range(start or prefix):
                for key, value in cursor:
                    if not bytes(key).startswith(prefix):
                        return
                    yield bytes(key), bytes(value)

    def records(self, prefix: bytes) -> Iterator[JobRecord]:
        """The records whose places begin with *prefix*, in their order."""
        return (self.at(name) for _, name in self.scan(prefix))

    def heads(self, prefix: bytes, width: int) -> Iterator[JobRecord]:
        """The first record of each group of places that agree in the *width* bytes
        after *prefix*. It costs a step per group."""
        start, end = prefix, len(prefix) + width
        while head := next(self.scan(prefix, start), None):
            key, name = head
            yield self.at(name)
            start = (int.from_bytes(key[:end]) + 1).to_bytes(end)

    def upward(self) -> Iterator[JobRecord]:
        """All records by ascending id."""
        return (JobRecord.model_validate_json(each) for _, each in self.scan(JOB))

    def downward(self, below: str | None) -> Iterator[JobRecord]:
        """All records by descending id, of the ids below *below* if it is given."""
        end = bytes([JOB[0] + 1]) if below is None else JOB + below.encode()
        with self.transaction.cursor() as cursor:
            if cursor.prev() if cursor.set_range(end) else cursor.last():
                for key, value in cursor.iterprev():
                    if not bytes(key).startswith(JOB):
                        return
                    yield JobRecord.model_validate_json(bytes(value))

    def write(self, old: JobRecord | None, new: JobRecord | None) -> None:
        """Let *new* stand where *old* stood; None is for no record."""
        left = set(places(old)) if old else set[bytes]()
        taken = set(places(new)) if new else set[bytes]()
        for place in left - taken:
            self.transaction.delete(place)
        if old:
            self._count(old, -1)
            self.transaction.delete(JOB + old.job.id.encode())
        if new:
            self._count(new, 1)
            name = new.job.id.encode()
            self.transaction.put(JOB + name, new.model_dump_json().encode())
            for place in taken - left:
                self.transaction.put(place, name)

    def _count(self, record: JobRecord, step: int) -> None:
        queue, status = record.job.queue, record.job.status
        key = COUNT + digest(queue)
        _, row = json.loads(self.get(key) or b"[null, {}]")
        row[status] = row.get(status, 0) + step
        kept = {each: count for each, count in row.items() if count}
        self.transaction.put(key, json.dumps([queue, kept]).encode())
