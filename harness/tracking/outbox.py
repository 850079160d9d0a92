"""What a session has to write, on its way into the store.

Training goes on meanwhile: a store on this machine is written by a thread, and on their way to a
server batches wait in a spool, since it may be slow or away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.core.errors import StoreError
from harness.core.paths import cache_folder
from harness.tracking.background import Background
from harness.tracking.retry import StoreUnavailable
from harness.tracking.rows import NewRun
from harness.tracking.spool import Spool, SpoolBatch
from harness.tracking.uris import hide_password, is_remote

if TYPE_CHECKING:  # MLflow is imported after it is configured
    from pathlib import Path

    from harness.tracking.experiment import Experiment


class Outbox:
    """A study's batches: runs, and numbers and tags of runs that are there.

    Args:
        experiment: the study's.
        patience: seconds that the store may be away.
    """

    def __init__(self, experiment: Experiment, patience: float) -> None:
        self._experiment, self._patience = experiment, patience
        self._way: Spool | Background = Background(self._deliver, patience)
        """What takes batches to the store."""
        self._given_ids: dict[str, str] = {}
        """The ids that the store gave to runs, by those that they had before. The thread that
        writes batches sets them; they are all there once all is written."""

    def open_spool(self) -> None:
        """Let batches wait in files where the store is a server, and send what a killed process has
        left there.

        Raises:
            StoreError: the store refuses it, or is away for too long.
        """
        if is_remote(self._experiment.uri):
            self._way = Spool(self._spool_folder(), self._deliver, patience=self._patience)
            self._way.flush()

    def _spool_folder(self) -> Path:
        # The same for the study's next process, also after the store's password has changed; a
        # hash, since names and URIs may hold what file names may not.
        where, study = hide_password(self._experiment.uri), self._experiment.study
        name = hashlib.sha256(f"{where} {study}".encode()).hexdigest()[:16]
        return cache_folder() / "spool" / name

    def send(self, batch: SpoolBatch) -> None:
        """Send a batch on its way; wait where too much is on its way already.

        Args:
            batch: the fields of runs, ids of those that they take the place of, and the run that
                they are nested in; or numbers and tags of a run that is there already.

        Raises:
            StoreError: the store has refused a batch, or has been away for too long.
        """
        with _telling_absence():
            self._way.put(batch)

    def _deliver(self, batch: SpoolBatch, again: bool) -> None:
        """Write what a batch holds; called in a thread of its own.

        Args:
            batch: as :meth:`send` was given it, perhaps in a process before this.
            again: an earlier attempt may have written a part of it.

        Raises:
            StoreUnavailable: the store is away.
            StoreError: the store refuses.
        """
        if "rows" not in batch:
            with self._experiment.telling_failures("a clock"):
                self._experiment.set_values(batch["run_id"], batch["tags"], batch["metrics"])
            return
        runs = [NewRun(**run) for run in batch["rows"]]
        # batches arrive in order, so runs of an earlier one have been given their ids by now
        superseded = [self.stored_id(run_id) for run_id in batch["superseded"]]
        with self._experiment.telling_failures(f"{len(runs)} runs"):
            given = self._experiment.bulk.write(runs, superseded, batch["parent"], again)
        self._given_ids |= {run.run_id: i for run, i in zip(runs, given, strict=True)}

    def check(self) -> None:
        """Tell of a batch that the store has refused meanwhile.

        Raises:
            StoreError: the store has refused one, or has been away for too long.
        """
        with _telling_absence():
            self._way.check()

    def persist(self) -> None:
        """Wait until no batch would be lost with this process: those on their way to a server are
        in files, and need not have arrived.

        Raises:
            StoreError: the store has refused one, or has been away for too long.
        """
        with _telling_absence():
            self._way.persist()

    def settle(self) -> None:
        """Wait until every batch has arrived.

        Raises:
            StoreError: the store has refused one, or has been away for too long.
        """
        with _telling_absence():
            self._way.flush()

    def stored_id(self, run_id: str) -> str:
        """Return the id that the store gave to a run that has arrived."""
        return self._given_ids.get(run_id, run_id)

    def close(self) -> None:
        """Let another process send what still waits."""
        self._way.close()


@contextmanager
def _telling_absence() -> Iterator[None]:
    """Raise a StoreError for a store that has been away for too long."""
    try:
        yield
    except StoreUnavailable as error:
        raise StoreError(
            f"{error}; start the same command again, finished runs are kept"
        ) from error
