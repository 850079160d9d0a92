"""One study's experiment in MLflow: the calls that are made once or twice a study, and how their
failures are told.

Reads and writes of many runs at once go through :attr:`Experiment.bulk`, which has two forms:
:class:`harness.tracking.database.Database` and :class:`harness.tracking.client_api.ClientApi`.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from harness.core.errors import StoreError
from harness.tracking.retry import StoreUnavailable
from harness.tracking.rows import JsonObject, NewRun, StoredRun, StudyData
from harness.tracking.schema import Tag
from harness.tracking.uris import describe_error, hide_password, is_remote

_PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")
"""MLflow's codes of failures that may pass by themselves; it gives INTERNAL_ERROR to a refused
connection too."""


class Bulk(Protocol):
    """Reads and writes of many runs at once."""

    def rows(self) -> list[StoredRun]:
        """Return the experiment's active runs of every kind, in the order of their starts."""

    def curves(
        self, run_ids: Collection[str], metrics: Sequence[str] | None
    ) -> dict[str, dict[str, list[tuple[int, float]]]]:
        """Return the curves of the given runs, as far as MLflow's tables have them; closing values
        may be among them."""

    def local_path(self, run_id: str, name: str) -> Path | None:
        """Return the path of an artifact where it lies on this machine, else None."""

    def write(
        self, runs: Sequence[NewRun], superseded: Collection[str], parent: str, again: bool = False
    ) -> list[str]:
        """Write the runs in the place of the superseded ones; return the new runs' ids in the
        store.

        Args:
            runs: finished runs.
            superseded: ids of runs that they replace.
            parent: id of the study's run, whose data set they share.
            again: an earlier call may have written a part of them.
        """


class Experiment:
    """One study's experiment.

    Args:
        uri: MLflow's tracking URI.
        study: the experiment's name.
        experiment_id: its id.
        client: MLflow's client.
        bulk: reads and writes many of its runs at once.
    """

    def __init__(
        self, uri: str, study: str, experiment_id: str, client: MlflowClient, bulk: Bulk
    ) -> None:
        self.uri, self.study, self.id = uri, study, experiment_id
        self.client, self.bulk = client, bulk

    def study_run(self) -> str | None:
        """Return the id of the study's own run, if the study has begun."""
        runs = self.client.search_runs([self.id], f"tags.`{Tag.KIND}` = 'study'", max_results=1)
        return str(runs[0].info.run_id) if runs else None

    def runs_of_answer(self, identity: str) -> int | None:
        """Return the number of runs, if the study has the answer that goes by ``identity``."""
        runs = self.client.search_runs([self.id], f"tags.`{Tag.ANSWER}` = '{identity}'")
        return int(runs[0].data.metrics["runs"]) if runs else None

    def add_parent(self, name: str, tags: Mapping[str, str], data: StudyData) -> str:
        """Make a run that others are nested in; it is never left RUNNING, since nothing goes on in
        it."""
        run_id = str(self.client.create_run(self.id, run_name=name[:250], tags=tags).info.run_id)
        self.client.log_inputs(run_id, [_mlflow_input(data)])
        self.client.set_terminated(run_id)
        return run_id

    def set_values(
        self, run_id: str, tags: Mapping[str, str], metrics: Mapping[str, float] | None = None
    ) -> None:
        """Set tags, and metrics that are no curves, of a run that is there already."""
        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            [Metric(name, value, now, 0) for name, value in (metrics or {}).items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )

    def set_title(self, title: str) -> None:
        """Say in MLflow's UI what the experiment is about."""
        self.client.set_experiment_tag(self.id, Tag.NOTE, title)

    def discard_unfinished(self) -> None:
        """Delete training runs that were never written to their end."""
        for run in self.client.search_runs(
            [self.id], "attributes.status = 'RUNNING'", max_results=1000
        ):
            if Tag.KEY in run.data.tags:
                self.client.delete_run(run.info.run_id)

    def write_json(self, run_id: str, name: str, content: Mapping[str, object]) -> None:
        """Write a JSON file among a run's artifacts."""
        self.client.log_dict(run_id, dict(content), name)

    def write_text(self, run_id: str, name: str, text: str) -> None:
        """Write a text file among a run's artifacts."""
        self.client.log_text(run_id, text, name)

    def read_json(self, run_id: str, name: str) -> JsonObject:
        """Return what a JSON file among a run's artifacts holds."""
        path = self.bulk.local_path(run_id, name)
        if path is not None:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(self.client.download_artifacts(run_id, name, folder))
            return dict(json.loads(copy.read_text(encoding="utf-8")))

    def copy_folder(self, run_id: str, name: str, to: Path) -> None:
        """Copy a folder of a run's artifacts, if the run has it."""
        if any(file.path == name for file in self.client.list_artifacts(run_id)):
            self.client.download_artifacts(run_id, name, str(to))

    @contextmanager
    def telling_failures(self, refused: str) -> Iterator[None]:
        """Raise our own errors for the store's: one while it is away, another where it refuses.

        Args:
            refused: what was asked of the store, as it goes on after "refused".

        Raises:
            StoreUnavailable: the store is away, which may pass.
            StoreError: the store refused.
        """
        try:
            yield
        except (MlflowException, sa.exc.SQLAlchemyError, OSError) as error:
            where, message = hide_password(self.uri), describe_error(error, self.uri)
            if is_remote(self.uri) and _may_pass(error):
                raise StoreUnavailable(f"MLflow at {where} can't be reached: {message}") from error
            raise StoreError(
                f"MLflow at {where} refused {refused}: {message}; "
                "mend the store and start the same command again, finished runs are kept"
            ) from error


def _mlflow_input(data: StudyData) -> DatasetInput:
    """Return a data set as MLflow takes it, whose digests have at most 36 characters."""
    dataset = Dataset(data.name, data.fingerprint[:36], "local", "{}")
    return DatasetInput(dataset, [InputTag(Tag.DATA_CONTEXT, "train")])


def _may_pass(error: Exception) -> bool:
    if isinstance(error, MlflowException):
        return error.error_code in _PASSING
    return isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError, OSError))
