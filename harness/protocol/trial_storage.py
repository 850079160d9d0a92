"""Finished trials in Optuna's own storage, for its dashboard; the search never reads them.

The search is replayed from the runs in MLflow (:mod:`harness.protocol.tuner`), so that this storage
may be deleted, be behind, or be shared by several studies. It is written in a thread, since it may
be slow.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from harness.core.errors import StoreError
from harness.protocol.journal import open_journal
from harness.protocol.tuner import ArmTuner
from harness.tracking.retry import StoreUnavailable, retry
from harness.tracking.uris import describe_error, hide_password

DEFAULT_JOURNAL = "optuna.journal"
"""File in the working folder that trials are written to where nothing else is asked for."""

_LOG = logging.getLogger("harness")


class TrialStorage:
    """Writes finished trials to Optuna's storage, in a thread, and later if the storage is away.

    Args:
        place: a journal file or a database's URL, as for :func:`open_storage`.
        study: name of the study; the searches' names begin with it.

    Raises:
        StoreError: the storage can't be used.
    """

    def __init__(self, place: str | None, study: str) -> None:
        self.place, self.study = chosen_place(place), study
        self.storage = open_storage(place)
        # one thread, so that writes keep their order; training goes on meanwhile
        self._writer = ThreadPoolExecutor(1, "trial-storage")
        self._writes: list[Future[None]] = []

    def write_finished(self, tuners: Iterable[ArmTuner]) -> None:
        """Have the tuners' finished trials written; those that are there already are left alone.

        Returns at once; errors come out of :meth:`close`.

        Args:
            tuners: their trials are listed here, in the caller's thread: they go on being asked,
                and trials that have ended never change.
        """
        for tuner in tuners:
            name = f"{self.study}/{tuner.study.study_name}"
            finished = tuner.finished_trials()
            self._writes.append(
                self._writer.submit(self._write, name, tuner.study.direction, finished)
            )

    def close(self) -> None:
        """Wait until all is written; a journal that could not be is told.

        Raises:
            StoreError: the database was away for too long, or refused.
        """
        self._writer.shutdown()  # waits for all writes
        if isinstance(self.storage, optuna.storages.RDBStorage):
            self.storage.engine.dispose()
        failures = [error for write in self._writes if (error := write.exception())]
        if not failures:
            return
        lacking = f"{hide_password(self.place)} lacks trials: "
        lacking += describe_error(failures[0], self.place)
        if "://" not in self.place:
            _LOG.warning("Optuna's journal %s; the next start writes them", lacking)
            return
        raise StoreError(
            f"Optuna's storage {lacking}; "
            "start the same command again when it is back, nothing is trained twice"
        ) from failures[0]

    def _write(self, name: str, direction: StudyDirection, trials: Sequence[FrozenTrial]) -> None:
        """Write one arm's trials, again and again while the storage is away.

        Raises:
            StoreUnavailable: it has been away for too long.
        """

        # Whether it was tried before does not matter: what arrived then is not missing now.
        def attempt(again: bool) -> None:
            try:
                self._add_missing(name, direction, trials)
            except (StorageInternalError, OperationalError, InterfaceError) as error:
                raise StoreUnavailable(
                    f"Optuna's storage can't be reached: {describe_error(error, self.place)}"
                ) from error

        retry(attempt)

    def _add_missing(
        self, name: str, direction: StudyDirection, trials: Sequence[FrozenTrial]
    ) -> None:
        """Add the trials that the storage lacks to the arm's study there, making it if missing."""
        stored = optuna.create_study(
            study_name=name,
            storage=self.storage,
            direction=direction.name.lower(),
            load_if_exists=True,
        )
        # trials are written in their order and never change: what is missing are the last ones
        count = len(stored.get_trials(deepcopy=False))
        for trial in trials[count:]:
            stored.add_trial(trial)


def chosen_place(place: str | None) -> str:
    """Return where trials are written: as asked, else ``HARNESS_STORAGE``, else a journal here."""
    return place or os.environ.get("HARNESS_STORAGE") or DEFAULT_JOURNAL


def open_storage(place: str | None) -> optuna.storages.BaseStorage:
    """Return Optuna's storage: a database where the place is a URL, else a journal file.

    Args:
        place: a URL such as ``postgresql://…``, or a path; None as :func:`chosen_place` has it.

    Raises:
        StoreError: the database can't be reached.
    """
    chosen = chosen_place(place)
    if "://" in chosen:
        try:
            return optuna.storages.RDBStorage(chosen)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            raise StoreError(
                f"Optuna's storage {hide_password(chosen)} can't be used: "
                f"{describe_error(error, chosen)}; expected a file such as {DEFAULT_JOURNAL}, or a "
                "database such as sqlite:///trials.db or postgresql://host/database"
            ) from error
    return open_journal(Path(chosen))
