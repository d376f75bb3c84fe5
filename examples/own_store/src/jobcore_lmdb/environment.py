"""An LMDB file that is open: one thread, on which whole transactions run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import lmdb

from jobcore import StoreError, StoreNotOpenError, StoreUnavailableError

T = TypeVar("T")

_PASSING: Final = (lmdb.ReadersFullError, lmdb.LockError)
"""Errors that may be gone when the call is repeated."""


class Environment:
    """Runs transactions one after the other. Whoever awaits one may be cancelled: if it
    has begun, it runs to its end, and if not, it never will."""

    def __init__(self, path: Path, *, size: int, sync: bool) -> None:
        self._path = path
        self._size = size
        self._sync = sync
        self._file: lmdb.Environment | None = None
        self._home: tuple[int, asyncio.AbstractEventLoop] | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        if self._thread is not None:
            raise StoreNotOpenError("it is open already")
        loop = asyncio.get_running_loop()
        self._home = os.getpid(), loop
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobcore-lmdb")
        try:
            await loop.run_in_executor(self._thread, self._open)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the file after the last transaction, even if the wait is cancelled."""
        thread, self._thread = self._thread, None
        if thread is None or self._home is None or self._home[0] != os.getpid():
            return  # a fork has no thread, and the file is its parent's
        closing = asyncio.get_running_loop().run_in_executor(thread, self._close)
        thread.shutdown(wait=False)
        await asyncio.shield(closing)

    async def run(self, work: Callable[[lmdb.Transaction], T], *, write: bool) -> T:
        """What *work* makes of a transaction, which ends in a commit if it returns."""
        loop = asyncio.get_running_loop()
        if self._thread is None:
            raise StoreNotOpenError("use it inside `async with`")
        if self._home != (os.getpid(), loop):
            raise StoreNotOpenError("it was opened in another process or event loop")
        return await loop.run_in_executor(self._thread, self._run, work, write)

    def _run(self, work: Callable[[lmdb.Transaction], T], write: bool) -> T:  # noqa: FBT001 - an executor passes no names
        if self._file is None:
            raise StoreNotOpenError("it was closed")
        try:
            with self._file.begin(write=write) as transaction:
                return work(transaction)
        except _PASSING as error:
            raise StoreUnavailableError(str(error)) from error
        except (lmdb.Error, ValueError) as error:
            raise StoreError(str(error)) from error

    def _open(self) -> None:
        try:
            self._file = lmdb.open(
                str(self._path), subdir=False, map_size=self._size, sync=self._sync
            )
        except lmdb.Error as error:
            raise StoreError(str(error)) from error

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
