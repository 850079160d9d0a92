"""Reads and writes of many runs through MLflow's client: slower than in the tables, and right for
every server and for databases of any revision.

MLflow's API writes one run at a time, so a few requests are under way at once; and it reads one
metric at a time, so whole curves of a batch of runs are kept in one file beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

from mlflow.entities import Dataset, DatasetInput, Metric, Param
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.rest_utils import http_request

from harness.tracking.rows import NewRun, StoredRun, whole_curves
from harness.tracking.schema import RunFile, StudyFile, Tag, is_closing

REQUESTS = 4
"""Requests under way at once; more do not help, a server of MLflow's has four workers by
default."""

# Limits of MLflow's API (its REST documentation): of log_batch, of search_runs, and of
# get-history-bulk.
_VALUES_A_BATCH = 1000
_RUNS_A_PAGE = 1000
_HISTORY_URL = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
_HISTORY_RUNS = 90
"""Of one request; MLflow takes 100."""
_HISTORY_POINTS = 25_000
"""Of one answer, whatever is asked for: an answer with so many may be cut off."""
_GONE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow calls a run that it does not have, or that is deleted."""


class ClientApi:
    """Reads and writes of many runs of one experiment through MLflow's client.

    Args:
        client: MLflow's client.
        experiment: the experiment's id.
    """

    def __init__(self, client: MlflowClient, experiment: str) -> None:
        self.client, self.experiment = client, experiment
        self._data: dict[str, list[DatasetInput]] = {}

    def rows(self) -> list[StoredRun]:
        rows: list[StoredRun] = []
        token = None
        while True:
            page = self.client.search_runs(
                [self.experiment],
                max_results=_RUNS_A_PAGE,
                order_by=["attributes.start_time"],
                page_token=token,
            )
            rows += [_stored(run) for run in page]
            token = page.token
            if not token:
                return rows

    def curves(
        self, run_ids: Collection[str], metrics: Sequence[str] | None
    ) -> dict[str, dict[str, list[tuple[int, float]]]]:
        in_order = sorted(run_ids)
        names = sorted(metrics) if metrics else self._curve_names(set(in_order))
        starts = range(0, len(in_order), _HISTORY_RUNS)
        parts = [(name, in_order[i : i + _HISTORY_RUNS]) for name in names for i in starts]
        curves: dict[str, dict[str, list[tuple[int, float]]]] = {run_id: {} for run_id in run_ids}
        with ThreadPoolExecutor(REQUESTS) as pool:
            for points in pool.map(lambda part: self._history(*part), parts):
                for run_id, name, step, value in points:
                    curves[run_id].setdefault(name, []).append((step, value))
        for own in curves.values():
            for pairs in own.values():
                pairs.sort()  # MLflow promises no order
        return curves

    def _curve_names(self, run_ids: set[str]) -> list[str]:
        names = {name for row in self.rows() if row.run_id in run_ids for name in row.metrics}
        return sorted(name for name in names if not is_closing(name))

    def _history(self, name: str, run_ids: Sequence[str]) -> list[tuple[str, str, int, float]]:
        """Return ``(run_id, metric, step, value)`` of one metric of some runs."""
        points = self._history_in_one_request(name, run_ids)
        if points is not None:
            return points
        return [
            (run_id, name, point.step, point.value)
            for run_id in run_ids
            for point in self.client.get_metric_history(run_id, name)
        ]

    def _history_in_one_request(
        self, name: str, run_ids: Sequence[str]
    ) -> list[tuple[str, str, int, float]] | None:
        """Return the same from a server that answers for many runs at once and has given all, else
        None."""
        # The client has no call for this; its REST store is the one that has credentials for a
        # server.
        credentials = getattr(self.client._tracking_client.store, "get_host_creds", None)
        if credentials is None:
            return None
        query = {"run_id": list(run_ids), "metric_key": name, "max_results": _HISTORY_POINTS}
        answer = http_request(credentials(), _HISTORY_URL, "GET", params=query)
        if answer.status_code != HTTPStatus.OK:
            return None
        points = answer.json()["metrics"]
        if len(points) >= _HISTORY_POINTS:
            return None
        return [(p["run_id"], name, int(p["step"]), float(p["value"])) for p in points]

    def local_path(self, run_id: str, name: str) -> Path | None:
        return None  # only MLflow knows where its artifacts are

    def write(
        self, runs: Sequence[NewRun], superseded: Collection[str], parent: str, again: bool = False
    ) -> list[str]:
        data = self._data_of(parent)
        file = f"{StudyFile.CURVES}/{runs[0].run_id}.json"
        # The order makes every cut harmless. Curves first: a run that is there has its curves. Then
        # the runs, each RUNNING until it is whole: what is cut short is not taken for a run, and is
        # sent anew when the batch comes again. The superseded runs last: until the new ones are
        # whole, the old ones count.
        self.client.log_dict(parent, {run.run_id: whole_curves(run) for run in runs}, file)

        def arrive(run: NewRun) -> str:
            there = self._arrived(run) if again else None
            return there or self._send(run, data, file)

        with ThreadPoolExecutor(REQUESTS) as pool:
            run_ids = list(pool.map(arrive, runs))
        for run_id in superseded:
            self._discard(run_id)
        return run_ids

    def _data_of(self, parent: str) -> list[DatasetInput]:
        if parent not in self._data:
            inputs = self.client.get_run(parent).inputs.dataset_inputs
            self._data[parent] = [_without_profile(each.dataset) for each in inputs]
        return self._data[parent]

    def _arrived(self, run: NewRun) -> str | None:
        """Return the id of a run that arrived whole; delete what there is of one that did not."""
        whole = None
        for stored in self._recorded_as(run.run_id):
            if stored.info.status == "RUNNING":
                self.client.delete_run(stored.info.run_id)
            else:
                whole = str(stored.info.run_id)
        return whole

    def _recorded_as(self, run_id: str) -> list[MlflowRun]:
        """Return the runs that had this id before the store gave them their own."""
        return list(self.client.search_runs([self.experiment], f"tags.`{Tag.RECORD}` = '{run_id}'"))

    def _discard(self, run_id: str) -> None:
        """Delete a run; it may be gone already, or known to the store by another id."""
        try:
            self.client.delete_run(run_id)
        except MlflowException as error:
            if error.error_code not in _GONE:
                raise
            for run in self._recorded_as(run_id):
                self.client.delete_run(run.info.run_id)

    def _send(self, run: NewRun, data: list[DatasetInput], file: str) -> str:
        tags = run.tags | {Tag.RECORD: run.run_id, Tag.CURVES: file}
        made = self.client.create_run(
            self.experiment, start_time=run.start, tags=tags, run_name=run.name
        )
        run_id = str(made.info.run_id)
        metrics = [Metric(name, value, run.end, step) for name, step, value in run.metrics]
        params = [Param(name, value) for name, value in run.params.items()]
        first = _VALUES_A_BATCH - len(params)  # the limit counts parameters and metrics together
        self.client.log_batch(run_id, metrics[:first], params)
        for start in range(first, len(metrics), _VALUES_A_BATCH):
            self.client.log_batch(run_id, metrics[start : start + _VALUES_A_BATCH])
        for name, content in run.files.items():
            if name != RunFile.CURVES:  # they are in the batch's file
                self.client.log_dict(run_id, dict(content), name)
        if data:
            self.client.log_inputs(run_id, data)
        self.client.set_terminated(run_id, run.status, run.end)  # from here on it counts
        return run_id


def _without_profile(data: Dataset) -> DatasetInput:
    """Return a data set by what names it: a long schema or profile need not be sent with every
    run."""
    return DatasetInput(Dataset(data.name, data.digest, data.source_type, data.source), [])


def _stored(run: MlflowRun) -> StoredRun:
    return StoredRun(
        run.info.run_id,
        run.info.status,
        run.info.start_time,
        dict(run.data.tags),
        dict(run.data.params),
        dict(run.data.metrics),
    )
