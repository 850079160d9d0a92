"""Reads and writes of single runs by MLflow's client, for servers and databases that are no file.

It has the interface of :class:`harness.tracking.single.OneByOne`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from harness.tracking.artifacts import replace_folder, write_artifact
from harness.tracking.client_api import stored_run
from harness.tracking.rows import StoredRun, StudyData
from harness.tracking.schema import Tag

_TAKEN = "INVALID_PARAMETER_VALUE"
"""MLflow's code where a parameter is there with another value."""
_MOST = 1000
"""Runs that one request of MLflow's API gives."""


class SingleClient:
    """Reads and writes single runs of one experiment by MLflow's client.

    Args:
        client: MLflow's client.
        experiment: the experiment's id.
        remote: whether answers may be lost on their way, so that the client asks again.
    """

    def __init__(self, client: MlflowClient, experiment: str, remote: bool) -> None:
        self.client, self.experiment, self.remote = client, experiment, remote

    def experiment_tags(self) -> dict[str, str]:
        """Return the experiment's tags."""
        return dict(self.client.get_experiment(self.experiment).tags)

    def tag_experiment(self, name: str, value: str) -> None:
        """Set a tag of the experiment."""
        self.client.set_experiment_tag(self.experiment, name, value)

    def find(self, tag: str, value: str) -> list[StoredRun]:
        """Return the active runs with a tag of a value, the newest first."""
        return self._search(f"tags.`{tag}` = '{value}'")

    def running(self) -> list[StoredRun]:
        """Return the active runs that were never ended, a thousand at most."""
        return self._search("attributes.status = 'RUNNING'")

    def _search(self, asked: str) -> list[StoredRun]:
        found = self.client.search_runs([self.experiment], asked, max_results=_MOST)
        return [stored_run(run) for run in found]

    def get(self, run_id: str) -> StoredRun:
        """Return a run of the experiment's, a deleted one too."""
        return stored_run(self.client.get_run(run_id))

    def is_active(self, run_id: str) -> bool:
        """Return whether a run of the experiment's has not been deleted."""
        return bool(self.client.get_run(run_id).info.lifecycle_stage == "active")

    def claim(self, run_id: str, name: str, value: str) -> bool:
        """Set a parameter of a run that nobody has set; return whether it has this value now."""
        try:
            self.client.log_param(run_id, name, value)
        except MlflowException as error:
            if error.error_code == _TAKEN:
                return False
            raise
        return True

    def add(self, name: str, tags: Mapping[str, str]) -> str:
        """Make a run that is not ended; return its id.

        Where the answer to its making was lost and MLflow's client asked again, there are two of
        them; the key that both have tells the one that nobody knows of.
        """
        key = uuid.uuid4().hex
        made = self.client.create_run(
            self.experiment, run_name=name, tags={**tags, Tag.RECORD: key}
        )
        run_id = str(made.info.run_id)
        if self.remote:
            for run in self.find(Tag.RECORD, key):
                if run.run_id != run_id:
                    self.delete(run.run_id)
        return run_id

    def delete(self, run_id: str) -> None:
        """Mark a run as deleted."""
        self.client.delete_run(run_id)

    def end(self, run_id: str, end: int | None = None) -> None:
        """Say that a run has ended, and when, in milliseconds since 1970; by default now."""
        self.client.set_terminated(run_id, end_time=end)

    def set_values(
        self, run_id: str, tags: Mapping[str, str], metrics: Mapping[str, float]
    ) -> None:
        """Set tags of a run, and finite metrics that are no curves: each gets a point at step 0."""
        now = int(time.time() * 1000)  # MLflow counts milliseconds
        self.client.log_batch(
            run_id,
            [Metric(name, value, now, 0) for name, value in metrics.items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )

    def set_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Set parameters that a run does not have yet."""
        if params:
            self.client.log_batch(run_id, params=[Param(*pair) for pair in params.items()])

    def set_data(self, run_id: str, data: StudyData) -> None:
        """Name the data that a run used; nothing where that was done before."""
        dataset = Dataset(data.name, data.digest, "local", "{}", profile=data.profile_json)
        self.client.log_inputs(
            run_id, [DatasetInput(dataset, [InputTag(Tag.DATA_CONTEXT, "train")])]
        )

    def files(self, run_id: str) -> list[str]:
        """Return the names of the files and folders at the top of a run's artifacts."""
        return [str(file.path) for file in self.client.list_artifacts(run_id)]

    def write_text(self, run_id: str, name: str, text: str) -> None:
        """Write a text file among a run's artifacts."""
        write_artifact(self.client, run_id, name, text)

    def replace_folder(self, run_id: str, name: str, texts: Mapping[str, str]) -> None:
        """Let a folder of a run's artifacts hold these text files and nothing else."""
        replace_folder(self.client, run_id, name, texts)
