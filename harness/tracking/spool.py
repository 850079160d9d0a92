"""Records on their way to a store that may be slow or away: kept in files, delivered in order while training goes on."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from harness.core.errors import StoreError

LIMIT = 2**28
"""Bytes that may wait."""
PATIENCE = 600.0
"""Seconds that the store may be away."""
PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between two attempts; the last one again and again."""
Batch = Mapping[str, Any]
T = TypeVar("T")
LOG = logging.getLogger("harness")


class AwayError(Exception):
    """The store can't be reached at the moment; what failed is to be tried again."""


def insist(action: Callable[[bool], T], patience: float = PATIENCE) -> T:
    """Return what an action gives, as often as it takes; it is told whether it was tried before.

    Raises:
        AwayError: the store has been away for longer than ``patience`` seconds.
    """
    began, pauses, again = time.monotonic(), iter(PAUSES), False
    while True:
        try:
            found = action(again)
        except AwayError as error:
            if time.monotonic() - began > patience:
                raise
            if not again:
                LOG.warning(
                    "%s; it is tried again for %.0f s, and training goes on", error, patience
                )
        else:
            if again:
                LOG.warning("the store is back")
            return found
        again = True
        time.sleep(next(pauses, PAUSES[-1]))


class Spool:
    """A queue in a folder that one thread empties.

    Args:
        folder: where batches wait, one file each. Those that a killed process left are delivered first.
        deliver: sends a batch; told whether an earlier attempt may have sent a part of it.
            Raises :class:`AwayError` while the store can't be reached, and anything else where it refuses.
        limit: bytes that may wait; above it :meth:`put` blocks.
        patience: seconds without success after which the spool gives up.

    Raises:
        StoreError: another process uses the folder.
    """

    def __init__(
        self,
        folder: Path,
        deliver: Callable[[Batch, bool], None],
        limit: int = LIMIT,
        patience: float = PATIENCE,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.deliver, self.limit, self.patience = folder, deliver, limit, patience
        self.lock = FileLock(folder / "lock")
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                "this study is being run by another process on this machine; wait for it, or stop it"
            ) from None
        self.changed = threading.Condition()
        self.waiting = {path: path.stat().st_size for path in sorted(folder.glob("*.json"))}
        self.left = set(self.waiting)
        """Files of a process before this one, which may have sent a part of them."""
        self.number = max((int(path.stem) for path in self.waiting), default=0)
        self.failed: StoreError | None = None
        self.closed = False
        self.worker = threading.Thread(target=self._work, name="spool", daemon=True)
        self.worker.start()

    def put(self, batch: Batch) -> None:
        """Queue a batch; wait for room where too many wait.

        Raises:
            StoreError: the store has refused a batch, or has been away for too long.
        """
        self.number += 1
        path = self.folder / f"{self.number:08d}.json"
        size = _write(path, batch)
        with self.changed:
            self.waiting[path] = size
            self.changed.notify_all()
            self._until(lambda: sum(self.waiting.values()) <= self.limit or len(self.waiting) == 1)

    def flush(self) -> None:
        """Wait until all is delivered.

        Raises:
            StoreError: as for :meth:`put`.
        """
        with self.changed:
            self._until(lambda: not self.waiting)

    def close(self) -> None:
        """Let other processes have the folder; what still waits there is theirs to deliver."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        self.worker.join()
        self.lock.release()

    def _until(self, done: Callable[[], bool]) -> None:
        self.changed.wait_for(lambda: self.failed is not None or done())
        if self.failed is not None:
            raise self.failed

    def _next(self) -> Path | None:
        with self.changed:
            self.changed.wait_for(lambda: bool(self.waiting) or self.closed)
            return None if self.closed else next(iter(self.waiting))

    def _work(self) -> None:
        while (path := self._next()) is not None:
            try:
                self._send(path)
            except Exception as error:
                with self.changed:
                    self.failed = self._explained(error)
                    self.changed.notify_all()
                return
            with self.changed:
                del self.waiting[path]
                self.changed.notify_all()

    def _send(self, path: Path) -> None:
        batch = json.loads(path.read_text(encoding="utf-8"))

        def attempt(again: bool) -> None:
            if not self.closed:
                self.deliver(batch, again or path in self.left)

        insist(attempt, self.patience)
        if not self.closed:
            path.unlink()

    def _explained(self, error: Exception) -> StoreError:
        said = (
            str(error)
            if isinstance(error, (AwayError, StoreError))
            else f"{type(error).__name__}: {error}"
        )
        return StoreError(
            f"{said}; mend the store and start the same command again: finished runs are kept, "
            f"{len(self.waiting)} batches of them in {self.folder}"
        )


def _write(path: Path, batch: Batch) -> int:
    """Write a file that is whole or not there; return its size."""
    fresh = path.with_suffix(".part")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(batch, file)
    os.replace(fresh, path)
    return path.stat().st_size
