"""What is read and written of an experiment itself, and of its runs one at a time.

As with :class:`harness.tracking.experiment.Bulk` there are two forms: in MLflow's tables, for an
SQLite file (:class:`harness.tracking.single_tables.SingleTables`), which spares the seconds of
MLflow's import, and by MLflow's client (:class:`harness.tracking.single_client.SingleClient`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from harness.tracking.rows import StoredRun, StudyData


class OneByOne(Protocol):
    """Reads and writes one run of an experiment at a time, and the experiment's own tags.

    Both forms must leave the same in a store, and give the same answers.
    """

    def experiment_tags(self) -> dict[str, str]:
        """Return the experiment's tags."""

    def tag_experiment(self, name: str, value: str) -> None:
        """Set a tag of the experiment."""

    def find(self, tag: str, value: str) -> list[StoredRun]:
        """Return the active runs with a tag of a value, the newest first."""

    def running(self) -> list[StoredRun]:
        """Return the active runs that were never ended, a thousand at most."""

    def get(self, run_id: str) -> StoredRun:
        """Return a run of the experiment's, a deleted one too."""

    def is_active(self, run_id: str) -> bool:
        """Return whether a run of the experiment's has not been deleted."""

    def claim(self, run_id: str, name: str, value: str) -> bool:
        """Set a parameter of a run that nobody has set; return whether it has this value now."""

    def add(self, name: str, tags: Mapping[str, str]) -> str:
        """Make a run that is not ended; return its id."""

    def delete(self, run_id: str) -> None:
        """Mark a run as deleted."""

    def end(self, run_id: str, end: int | None = None) -> None:
        """Say that a run has ended, and when, in milliseconds since 1970; by default now."""

    def set_values(
        self, run_id: str, tags: Mapping[str, str], metrics: Mapping[str, float]
    ) -> None:
        """Set tags of a run, and finite metrics that are no curves: each gets a point at step 0."""

    def set_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Set parameters that a run does not have yet."""

    def set_data(self, run_id: str, data: StudyData) -> None:
        """Name the data that a run used; nothing where that was done before."""

    def files(self, run_id: str) -> list[str]:
        """Return the names of the files and folders at the top of a run's artifacts."""

    def write_text(self, run_id: str, name: str, text: str) -> None:
        """Write a text file among a run's artifacts.

        Args:
            run_id: the run.
            name: the file's path among the run's artifacts.
            text: its content.
        """

    def replace_folder(self, run_id: str, name: str, texts: Mapping[str, str]) -> None:
        """Let a folder of a run's artifacts hold these text files and nothing else.

        Args:
            run_id: the run.
            name: the folder's.
            texts: by file name.
        """
