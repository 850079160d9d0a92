"""A store behind MLflow's API: the same reads and writes, run by run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, Metric, Param
from mlflow.tracking import MlflowClient

from harness.tracking.rows import Curves, Row

AT_ONCE = 1000
"""Metrics that MLflow takes in one request."""


class Server:
    """Reads and writes of one experiment's runs through a client.

    Args:
        client: MLflow's client.
        experiment: the experiment's id.
    """

    def __init__(self, client: MlflowClient, experiment: str) -> None:
        self.client, self.experiment = client, experiment

    def rows(self) -> list[dict[str, Any]]:
        """Return the active runs as ``run_id``, ``status``, ``start``, ``tags``, ``params`` and latest ``metrics``."""
        rows: list[dict[str, Any]] = []
        token = None
        while True:
            page = self.client.search_runs(
                [self.experiment], max_results=1000, order_by=["attributes.start_time"], page_token=token
            )
            rows += [_plain(run) for run in page]
            token = page.token
            if not token:
                return rows

    def curves(self, run_ids: Collection[str], metrics: Sequence[str] | None) -> dict[str, Curves]:
        """Return the curves of the given runs."""
        found: dict[str, Curves] = {}
        for run_id in run_ids:
            names = metrics or list(self.client.get_run(run_id).data.metrics)
            history = {name: self.client.get_metric_history(run_id, name) for name in names}
            found[run_id] = {n: sorted((m.step, m.value) for m in points) for n, points in history.items() if points}
        return found

    def local(self, run_id: str, name: str) -> Path | None:
        """Return nothing: the artifacts are the server's."""
        return None

    def write(self, rows: Sequence[Row], superseded: Collection[str], dataset_of: str) -> list[str]:
        """Send the rows, then delete the superseded runs; return the ids that the server gave the new ones.

        A row cut short stays RUNNING and is thrown away on resume.
        """
        data = [
            DatasetInput(Dataset(d.dataset.name, d.dataset.digest, d.dataset.source_type, d.dataset.source), [])
            for d in self.client.get_run(dataset_of).inputs.dataset_inputs
        ]
        made = [self._send(row, data) for row in rows]
        for run_id in superseded:
            self.client.delete_run(run_id)
        return made

    def _send(self, row: Row, data: list[DatasetInput]) -> str:
        run = self.client.create_run(self.experiment, start_time=row.start, tags=row.tags, run_name=row.name)
        run_id = str(run.info.run_id)
        metrics = [Metric(name, value, row.end, step) for name, step, value in row.metrics]
        self.client.log_batch(run_id, params=[Param(k, v) for k, v in row.params.items()])
        for start in range(0, len(metrics), AT_ONCE):
            self.client.log_batch(run_id, metrics[start : start + AT_ONCE])
        for name, content in row.files.items():
            self.client.log_dict(run_id, dict(content), name)
        if data:
            self.client.log_inputs(run_id, data)
        self.client.set_terminated(run_id, row.status, row.end)
        return run_id


def _plain(run: Any) -> dict[str, Any]:
    return {
        "run_id": run.info.run_id,
        "status": run.info.status,
        "start": run.info.start_time,
        "tags": dict(run.data.tags),
        "params": dict(run.data.params),
        "metrics": dict(run.data.metrics),
    }
