"""Batches on their way to a store that may be slow or away: kept in files, delivered in order while
training goes on.

A :class:`harness.tracking.session.Session` makes a spool where the store is a server. What a batch
holds is the session's matter: here it is JSON that goes to ``deliver``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from filelock import FileLock, Timeout

from harness.core.errors import StoreError
from harness.core.whole_file import write_whole
from harness.tracking.retry import PATIENCE, StoreUnavailable, retry

SPOOL_LIMIT = 2**28
"""Bytes that may wait: hours of training, and little enough for the disk of any machine that
trains."""
SpoolBatch: TypeAlias = Mapping[str, Any]
"""What is delivered in one piece; it goes through JSON, which turns tuples into lists."""


class Spool:
    """A queue in a folder that one thread empties.

    A batch is one file, named by its number, from the moment that :meth:`put` returns until it is
    delivered. So nothing is lost when the process is killed, and the next process delivers what it
    finds there first. Batches are delivered once or, after a kill or a lost connection, more than
    once: ``deliver`` is told so.

    It is filled from one thread; the thread that empties it is its own.

    Args:
        folder: where batches wait.
        deliver: sends a batch; told whether an earlier attempt may have sent a part of it.
            Raises :class:`StoreUnavailable` while the store can't be reached, and anything else
            where it refuses.
        limit: bytes that may wait; above it :meth:`put` blocks.
        patience: seconds without success after which the spool gives up.

    Raises:
        StoreError: another process uses the folder.
    """

    def __init__(
        self,
        folder: Path,
        deliver: Callable[[SpoolBatch, bool], None],
        limit: int = SPOOL_LIMIT,
        patience: float = PATIENCE,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.deliver, self.limit, self.patience = folder, deliver, limit, patience
        # The lock is the operating system's: it is free again as soon as its process is gone,
        # however that ended. Two processes on one folder would deliver batches twice and out of
        # order.
        self._lock = FileLock(folder / "lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                "this study is being run by another process on this machine; "
                "wait for it, or stop it"
            ) from None
        self._changed = threading.Condition()
        """Guards the fields below, and is notified when one of them changes."""
        self._waiting = {path: path.stat().st_size for path in sorted(folder.glob("*.json"))}
        """Sizes of the files that wait, in the order of delivery."""
        self._inherited = frozenset(self._waiting)
        """Files of a process before this one, which may have sent a part of them."""
        # the new files' numbers go on from there, so that they stand after those that wait
        self._number = max((int(path.stem) for path in self._waiting), default=0)
        self._failed: StoreError | None = None
        self._closed = False
        # A daemon, so that a driver that dies of an error is not held by a server that is away; the
        # files stay.
        self._worker = threading.Thread(target=self._work, name="spool", daemon=True)
        self._worker.start()

    def put(self, batch: SpoolBatch) -> None:
        """Queue a batch; wait for room where too many wait.

        Args:
            batch: what JSON can hold.

        Raises:
            StoreError: the store has refused a batch, or has been away for too long.
        """
        self._number += 1
        path = self.folder / f"{self._number:08d}.json"
        # not flushed to the disk: of a machine that loses power the last batches are trained again
        size = write_whole(path, json.dumps(batch), durable=False)
        with self._changed:
            self._waiting[path] = size
            self._changed.notify_all()
            # A batch larger than the limit is let through alone, or it would wait for ever.
            self._wait_until(
                lambda: sum(self._waiting.values()) <= self.limit or len(self._waiting) == 1
            )

    def flush(self) -> None:
        """Wait until all is delivered.

        Raises:
            StoreError: as for :meth:`put`.
        """
        with self._changed:
            self._wait_until(lambda: not self._waiting)

    def check(self) -> None:
        """Raise what :meth:`put` would, now that it is known.

        Raises:
            StoreError: as for :meth:`put`.
        """
        with self._changed:
            if self._failed is not None:
                raise self._failed

    def persist(self) -> None:
        """Wait until no batch would be lost with this process: none would, of those in files."""

    def close(self) -> None:
        """Let other processes have the folder; what still waits there is theirs to deliver."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.join()
        self._lock.release()

    def _wait_until(self, done: Callable[[], bool]) -> None:
        """Wait until ``done`` holds or delivery has failed; the caller holds ``_changed``.

        Raises:
            StoreError: delivery has failed, now or before.
        """
        self._changed.wait_for(lambda: self._failed is not None or done())
        if self._failed is not None:
            raise self._failed

    def _work(self) -> None:
        """Deliver batch after batch, until the spool is closed or one is refused: those after it
        must not overtake it."""
        while (path := self._next()) is not None:
            try:
                self._send(path)
            except Exception as error:
                # of whatever kind: put() and flush() raise it in the thread that calls them
                with self._changed:
                    self._failed = self._explained(error)
                    self._changed.notify_all()
                return
            with self._changed:
                del self._waiting[path]
                self._changed.notify_all()

    def _next(self) -> Path | None:
        """Return the batch that has waited longest, once there is one; None when the spool is
        closed."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
            return None if self._closed else next(iter(self._waiting))

    def _send(self, path: Path) -> None:
        """Deliver a batch and remove its file.

        The file goes after the delivery and never before: a kill in between has the batch delivered
        twice, and not lost.
        """
        batch = json.loads(path.read_text(encoding="utf-8"))

        def attempt(again: bool) -> None:
            if not self._closed:  # closing ends a retry that would go on for minutes
                self.deliver(batch, again or path in self._inherited)

        retry(attempt, self.patience)
        # closed meanwhile: it is not known whether the attempt was made, so the next process makes
        # it again
        if not self._closed:
            path.unlink()

    def _explained(self, error: Exception) -> StoreError:
        """Return an error for the user: what failed, what to do, and where the runs wait."""
        expected = isinstance(error, (StoreUnavailable, StoreError))
        reason = str(error) if expected else f"{type(error).__name__}: {error}"
        return StoreError(
            f"{reason}; mend the store and start the same command again: finished runs are kept, "
            f"{len(self._waiting)} batches of them in {self.folder}"
        )
