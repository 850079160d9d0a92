"""Which training runs of a study the store has, and which of them its answer is of."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.core.study_record import ClockReading, StudyRecord, clock_readings
from harness.tracking.about import Known
from harness.tracking.reader import training_runs
from harness.tracking.rows import NewRun, StoredRun
from harness.tracking.schema import Tag


class KnownRuns:
    """The training runs that a session found, and those that it has recorded since."""

    def __init__(self) -> None:
        self._ids_by_key: dict[str, list[str]] = {}
        """Runs that a new one with the same key takes the place of: failed ones, and with
        ``--fresh`` all."""
        self._answering: dict[str, bool] = {}
        """Whether the runs that were found say that they are the answer's."""
        self._superseded: set[str] = set()
        """Runs that others have taken the place of."""

    def read(self, rows: Sequence[StoredRun], shared: str) -> dict[str, Known]:
        """Return the whole runs by key; of several with one key the one that started last.

        Those that another driver is sending are nobody's else: they count when they have arrived.

        Args:
            rows: the experiment's runs.
            shared: the run by which drivers share the study; empty for a driver of its own.
        """
        known: dict[str, Known] = {}
        rows = [row for row in rows if row.status != "RUNNING"]
        self._ids_by_key = {}
        self._answering = {
            row.run_id: row.tags.get(Tag.ANSWERS) == "yes" for row in rows if Tag.KEY in row.tags
        }
        # a run that failed before this start is tried again; by whichever driver it failed in this
        # one, it is not
        tried = {
            row.run_id
            for row in rows
            if shared and row.status == "FAILED" and row.tags.get(Tag.SHARING) == shared
        }
        for run in training_runs(rows):
            self._ids_by_key.setdefault(run.key, []).append(run.run_id)
            if run.whole or run.run_id in tried:
                known[run.key] = Known(run.run_id, run.status, run.closing, run.kept)
        return known

    def supersede(self, runs: Sequence[NewRun]) -> list[str]:
        """Let new runs take the place of older ones with their keys; return the ids of those."""
        superseded = [run_id for run in runs for run_id in self._ids_by_key.get(run.key, ())]
        self._superseded.update(superseded)
        self._ids_by_key |= {run.key: [run.run_id] for run in runs}
        return superseded

    def wrong_marks(self, record: StudyRecord) -> dict[str, str]:
        """Return what the runs that were found must say of whether the answer is of them, where
        they do not say so yet."""
        of_answer = {run.run_id for run in record.runs}
        return {
            run_id: "yes" if run_id in of_answer else "no"
            for run_id, said in self._answering.items()
            if said != (run_id in of_answer) and run_id not in self._superseded
        }


def stored_clocks(rows: Sequence[StoredRun]) -> dict[str, dict[int, ClockReading]]:
    """Return what the clocks of each arm were read as, by search."""
    return {
        row.tags[Tag.ARM]: clock_readings(json.loads(row.tags[Tag.CLOCK]))
        for row in rows
        if Tag.CLOCK in row.tags
    }
