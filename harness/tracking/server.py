"""A store behind MLflow's API: the same reads and writes, a few requests at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.rest_utils import http_request

from harness.tracking.rows import CLOSING, Curves, Row

AT_ONCE = 1000
"""Metrics and parameters that MLflow takes in one request."""
BULK, RUNS, POINTS = "/ajax-api/2.0/mlflow/metrics/get-history-bulk", 90, 25_000
"""Where a server gives one metric of many runs at once, and the most runs and points of one answer."""
REQUESTS = 4
"""Requests under way at once."""
RECORD = "harness.record"
"""Tag with the id that a run had before the server gave it its own: what is sent twice is known by it."""
CURVES = "curves"
"""Folder, among the artifacts of the study's run, of the curves: a file for each batch of runs, read in one piece."""
GONE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow calls a run that it does not have, or that is deleted."""


class Server:
    """Reads and writes of one experiment's runs through a client.

    Args:
        client: MLflow's client.
        experiment: the experiment's id.
    """

    def __init__(self, client: MlflowClient, experiment: str) -> None:
        self.client, self.experiment = client, experiment
        self.data: dict[str, list[DatasetInput]] = {}

    def rows(self) -> list[dict[str, Any]]:
        """Return the active runs as ``run_id``, ``status``, ``start``, ``tags``, ``params`` and latest ``metrics``."""
        rows: list[dict[str, Any]] = []
        token = None
        while True:
            page = self.client.search_runs(
                [self.experiment],
                max_results=1000,
                order_by=["attributes.start_time"],
                page_token=token,
            )
            rows += [_plain(run) for run in page]
            token = page.token
            if not token:
                return rows

    def curves(self, run_ids: Collection[str], metrics: Sequence[str] | None) -> dict[str, Curves]:
        """Return the curves of the given runs, without closing numbers; one request for a metric of many runs."""
        wanted = sorted(run_ids)
        names = sorted(metrics) if metrics else self._names(set(wanted))
        parts = [
            (name, wanted[i : i + RUNS]) for name in names for i in range(0, len(wanted), RUNS)
        ]
        found: dict[str, dict[str, list[tuple[int, float]]]] = {run_id: {} for run_id in run_ids}
        with ThreadPoolExecutor(REQUESTS) as pool:
            for points in pool.map(lambda part: self._history(*part), parts):
                for run_id, name, step, value in points:
                    found[run_id].setdefault(name, []).append((step, value))
        return {
            run_id: {name: sorted(points) for name, points in mine.items()}
            for run_id, mine in found.items()
        }

    def _names(self, run_ids: set[str]) -> list[str]:
        names = {name for row in self.rows() if row["run_id"] in run_ids for name in row["metrics"]}
        return sorted(name for name in names if not name.startswith(CLOSING))

    def _history(self, name: str, run_ids: Sequence[str]) -> list[tuple[str, str, int, float]]:
        """Return ``(run_id, metric, step, value)`` of one metric of some runs."""
        credentials = getattr(self.client._tracking_client.store, "get_host_creds", None)
        if credentials is not None:
            given = {"run_id": list(run_ids), "metric_key": name, "max_results": POINTS}
            answer = http_request(credentials(), BULK, "GET", params=given)
            found = answer.json()["metrics"] if answer.status_code == HTTPStatus.OK else None
            if found is not None and len(found) < POINTS:
                return [(p["run_id"], name, int(p["step"]), float(p["value"])) for p in found]
        histories = ((run_id, self.client.get_metric_history(run_id, name)) for run_id in run_ids)
        return [(run_id, name, m.step, m.value) for run_id, history in histories for m in history]

    def local(self, run_id: str, name: str) -> Path | None:
        """Return nothing: the artifacts are the server's."""
        return None

    def write(
        self, rows: Sequence[Row], superseded: Collection[str], dataset_of: str, again: bool = False
    ) -> list[str]:
        """Send the rows, then delete the superseded runs; return the ids that the server gave the new ones.

        The curves go in one file, and as metrics for MLflow's UI.

        A row cut short stays RUNNING; it is sent anew when the rows are written ``again``, and those that arrived are not.
        """
        data, place = self._data(dataset_of), f"{CURVES}/{rows[0].run_id}.json"
        self.client.log_dict(dataset_of, {row.run_id: row.whole() for row in rows}, place)
        with ThreadPoolExecutor(REQUESTS) as pool:
            made = list(
                pool.map(
                    lambda row: (
                        (self._arrived(row) if again else None) or self._send(row, data, place)
                    ),
                    rows,
                )
            )
        for run_id in superseded:
            self._discard(run_id)
        return made

    def _data(self, dataset_of: str) -> list[DatasetInput]:
        if dataset_of not in self.data:
            self.data[dataset_of] = [
                DatasetInput(
                    Dataset(
                        d.dataset.name, d.dataset.digest, d.dataset.source_type, d.dataset.source
                    ),
                    [],
                )
                for d in self.client.get_run(dataset_of).inputs.dataset_inputs
            ]
        return self.data[dataset_of]

    def _arrived(self, row: Row) -> str | None:
        """Return the id of a row that arrived whole; delete what there is of one that did not."""
        whole = None
        for run in self._of(row.run_id):
            if run.info.status == "RUNNING":
                self.client.delete_run(run.info.run_id)
            else:
                whole = str(run.info.run_id)
        return whole

    def _of(self, record: str) -> list[Any]:
        return list(self.client.search_runs([self.experiment], f"tags.`{RECORD}` = '{record}'"))

    def _discard(self, run_id: str) -> None:
        """Delete a run; it may be gone already, or known to the server by another id."""
        try:
            self.client.delete_run(run_id)
        except MlflowException as error:
            if error.error_code not in GONE:
                raise
            for run in self._of(run_id):
                self.client.delete_run(run.info.run_id)

    def _send(self, row: Row, data: list[DatasetInput], place: str) -> str:
        tags = row.tags | {RECORD: row.run_id, "harness.curves": place}
        run = self.client.create_run(
            self.experiment, start_time=row.start, tags=tags, run_name=row.name
        )
        run_id = str(run.info.run_id)
        metrics = [Metric(name, value, row.end, step) for name, step, value in row.metrics]
        params = [Param(k, v) for k, v in row.params.items()]
        first = AT_ONCE - len(params)
        self.client.log_batch(run_id, metrics[:first], params)
        for start in range(first, len(metrics), AT_ONCE):
            self.client.log_batch(run_id, metrics[start : start + AT_ONCE])
        for name, content in row.files.items():
            if name != "curves.json":
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
