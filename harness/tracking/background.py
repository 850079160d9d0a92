"""Batches on their way into a store on this machine: written while training goes on.

What a write waits for is mostly the disk. Meanwhile the driver tells the search its results and
asks for the next trials, and workers have something to do.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from harness.core.errors import StoreError
from harness.tracking.retry import PATIENCE, StoreUnavailable, retry
from harness.tracking.spool import SpoolBatch

_LOG = logging.getLogger("harness")


class Background:
    """A thread that writes one batch at a time.

    One batch at most is on its way: :meth:`put` waits for the one before it. So a kill costs no
    more than the cohort that has just ended, which is trained again like those in training, from
    its checkpoint where it has one.

    It is filled from one thread.

    Args:
        deliver: writes a batch; told whether an earlier attempt may have written it. Raises
            :class:`StoreUnavailable` while the store can't be written, and anything else where it
            refuses.
        patience: seconds that the store may be away.
    """

    def __init__(
        self, deliver: Callable[[SpoolBatch, bool], None], patience: float = PATIENCE
    ) -> None:
        self.deliver, self.patience = deliver, patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._last: Future[None] | None = None
        """The batch that was put last; None once it is known to be written, or not to be."""
        self._closed = threading.Event()

    def put(self, batch: SpoolBatch) -> None:
        """Have a batch written, once the one before it is.

        Raises:
            StoreError: the store has refused the one before.
            StoreUnavailable: the store was away for too long.
        """
        self.flush()
        self._last = self._thread.submit(self._write, batch)

    def flush(self) -> None:
        """Wait until all is written.

        Raises:
            StoreError: as for :meth:`put`.
            StoreUnavailable: as for :meth:`put`.
        """
        last, self._last = self._last, None
        if last is not None:
            last.result()

    persist = flush
    """Wait until no batch would be lost with this process."""

    def check(self) -> None:
        """Raise what :meth:`put` would, now that it is known; nothing while a batch is written.

        Raises:
            StoreError: as for :meth:`put`.
            StoreUnavailable: as for :meth:`put`.
        """
        if self._last is not None and self._last.done():
            self.flush()

    def close(self) -> None:
        """Wait for the batch on its way, which is tried once more at most; a second call does
        nothing."""
        self._closed.set()
        self._thread.shutdown()
        last, self._last = self._last, None
        error = last and last.exception()
        # the study has ended already, by an error or by Ctrl-C, which says nothing of this
        if isinstance(error, StoreError | StoreUnavailable):
            _LOG.warning("%s; the runs of the last cohort are not kept", error)

    def _write(self, batch: SpoolBatch) -> None:
        def attempt(again: bool) -> None:
            try:
                self.deliver(batch, again)
            except StoreUnavailable as error:
                if self._closed.is_set():  # or it would be tried again for minutes
                    raise StoreError(str(error)) from error
                raise

        retry(attempt, self.patience)
