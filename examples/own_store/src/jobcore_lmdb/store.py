"""The store without abilities: each method is a verb in a transaction."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from urllib.parse import unquote, urlsplit

import lmdb

from jobcore import JobStore, StoreError
from jobcore_lmdb import verbs
from jobcore_lmdb.environment import Environment
from jobcore_lmdb.ledger import Ledger

P = ParamSpec("P")
T = TypeVar("T")
Verb = Callable[Concatenate[Ledger, P], T]
Method = Callable[Concatenate["PlainLMDBJobStore", P], Coroutine[Any, Any, T]]


def reading(verb: Verb[P, T]) -> Method[P, T]:
    """The method that makes *verb* of a snapshot."""
    return _method(verb, write=False)


def writing(verb: Verb[P, T]) -> Method[P, T]:
    """The method that makes *verb* one atomic step."""
    return _method(verb, write=True)


def _method(verb: Verb[P, T], *, write: bool) -> Method[P, T]:
    async def method(
        store: PlainLMDBJobStore, /, *arguments: P.args, **named: P.kwargs
    ) -> T:
        def work(transaction: lmdb.Transaction) -> T:
            return verb(Ledger(transaction, store.now()), *arguments, **named)

        return await store.environment.run(work, write=write)

    return method


class PlainLMDBJobStore(JobStore):
    """Keeps jobs in the file that *url* names, which is made where there is none.

    It may grow up to *size* bytes. Without *sync* a commit does not wait for the disk,
    and a power failure may damage the file.
    """

    insert = writing(verbs.insert)
    get = reading(verbs.get)
    claim = writing(verbs.claim)
    apply = writing(verbs.apply)
    renew = writing(verbs.renew)
    expired = reading(verbs.expired)
    promote = writing(verbs.promote)
    find = reading(verbs.find)
    statistics = reading(verbs.statistics)
    delete = writing(verbs.delete)

    def __init__(self, url: str, *, size: int = 2**30, sync: bool = True) -> None:
        parts = urlsplit(url)
        if parts.netloc or parts.query or len(parts.path) < len("/a"):
            raise StoreError("a URL is lmdb:///jobs.lmdb or lmdb:////var/lib/jobs.lmdb")
        path = Path(unquote(parts.path[1:]))
        self.environment = Environment(path, size=size, sync=sync)

    async def __aenter__(self) -> Self:
        await self.environment.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.environment.close()

    def now(self) -> datetime:
        """The time by the clock of the store, which is that of its host."""
        return datetime.now(UTC) + self.offset
