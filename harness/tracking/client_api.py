"""Reads and writes of many runs through MLflow's client.

It has the interface of :class:`harness.tracking.experiment.Bulk`, as
:class:`harness.tracking.database.Database` has, and stands in for it where the tables can't be
touched: a tracking server, and a database whose revision this version does not know.

MLflow's API writes one run at a time, so a few requests are under way at once; and it reads one
metric at a time, so the whole curves of a batch of runs are kept in one JSON file among the study's
artifacts. Failures are not handled here: ``Experiment.telling_failures`` around the call tells
an outage from a refusal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

from mlflow.entities import Dataset, DatasetInput, Metric, Param
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.rest_utils import http_request

from harness.core.temporary import temporary_folder
from harness.tracking.artifacts import write_json_artifact
from harness.tracking.rows import Means, NewRun, StoredRun, file_content, whole_curves
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
        """Data sets of arms' runs, by their ids: asked for once, sent with every run."""

    def rows(self) -> list[StoredRun]:
        """Return the experiment's active runs of every kind, in the order of their starts; one
        request for each thousand of them."""
        rows: list[StoredRun] = []
        token = None
        while True:
            page = self.client.search_runs(
                [self.experiment],
                max_results=_RUNS_A_PAGE,
                order_by=["attributes.start_time"],  # by default the newest come first
                page_token=token,
            )
            rows += [stored_run(run) for run in page]
            token = page.token
            if not token:
                return rows

    def curves(
        self, run_ids: Collection[str], metrics: Sequence[str] | None
    ) -> dict[str, dict[str, list[tuple[int, float]]]]:
        """Return curves from MLflow's tables; one request for each metric and 90 runs.

        They are slow to get and, where a curve was thinned, not whole: of runs that this class
        wrote, :class:`harness.tracking.reader.Reader` reads the batch's file instead.
        """
        # sorted, so that the same question makes the same requests
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
        # the API can't be asked which metrics there are; a run's latest values name all of them
        names = {name for row in self.rows() if row.run_id in run_ids for name in row.metrics}
        return sorted(name for name in names if not is_closing(name))

    def _history(self, name: str, run_ids: Sequence[str]) -> list[tuple[str, str, int, float]]:
        """Return ``(run_id, metric, step, value)`` of one metric of some runs.

        Where there is no answer for many runs at once, it asks for one after the other.
        """
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
        """Return the same as :meth:`_history` by one request for all runs.

        Returns:
            None where there is no server, where it does not know the request (it is of MLflow's UI
            and not of its public API), or where it may have cut its answer short.
        """
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
        if len(points) >= _HISTORY_POINTS:  # a cut answer looks like a whole one of that length
            return None
        return [(p["run_id"], name, int(p["step"]), float(p["value"])) for p in points]

    def local_path(self, run_id: str, name: str) -> Path | None:
        """Return None: artifacts are always fetched through MLflow."""
        return None  # only MLflow knows where its artifacts are

    def write(
        self, runs: Sequence[NewRun], superseded: Collection[str], parent: str, again: bool = False
    ) -> list[str]:
        """Write the runs in the place of the superseded ones, several at once.

        Args:
            runs: finished runs; one at least.
            superseded: ids of runs that they replace; either the store's, or those that the runs
                had before the store gave them its own.
            parent: id of the study's run, which gets the file with their curves.
            again: an earlier call may have written a part of them.

        Returns:
            The ids that the store gave them, in their order.

        Raises:
            MlflowException: the server is away, or refuses.
        """
        # one request an arm, before the requests of runs that are under way at once
        data = {arm: self._data_of(arm) for arm in {run.tags[Tag.PARENT] for run in runs}}
        # named after the first run's own id, so that a batch that comes again writes the same file
        file = f"{StudyFile.CURVES}/{runs[0].run_id}.json"
        # The order makes every cut harmless. Curves first: a run that is there has its curves. Then
        # the runs, each RUNNING until it is whole: what is cut short is not taken for a run, and is
        # sent anew when the batch comes again. The superseded runs last: until the new ones are
        # whole, the old ones count.
        curves = {run.run_id: whole_curves(run) for run in runs}
        write_json_artifact(self.client, parent, file, curves)

        def arrive(run: NewRun) -> str:
            # looking whether it is there costs a request, so only where an attempt went before
            there = self._arrived(run) if again else None
            return there or self._send(run, data[run.tags[Tag.PARENT]], file)

        with ThreadPoolExecutor(REQUESTS) as pool:
            run_ids = list(pool.map(arrive, runs))
        for run_id in superseded:
            self._discard(run_id)
        return run_ids

    def _data_of(self, parent: str) -> list[DatasetInput]:
        """Return the data sets of a run, which those that are nested in it name too."""
        if parent not in self._data:
            inputs = self.client.get_run(parent).inputs.dataset_inputs
            self._data[parent] = [_without_profile(each.dataset) for each in inputs]
        return self._data[parent]

    def set_tags(self, name: str, values: Mapping[str, str]) -> None:
        """Set a tag of some runs, a request each.

        Args:
            name: of the tag.
            values: by run.
        """
        with ThreadPoolExecutor(REQUESTS) as pool:
            # a list, so that the first failure is raised
            list(pool.map(lambda pair: self.client.set_tag(pair[0], name, pair[1]), values.items()))

    def set_means(self, run_id: str, means: Means, first: bool) -> bool:
        """Give an arm's run its means.

        Args:
            run_id: the run.
            means: its closing values, of which the latest count, and its curves.
            first: whether it has no curves yet: those that a server has can't be taken back.

        Returns:
            Whether the curves were written.
        """
        wanted = [*(means.curves if first else ()), *means.closing]
        rows = [Metric(m.key, m.value, m.timestamp, m.step) for m in wanted]
        for start in range(0, len(rows), _VALUES_A_BATCH):
            self.client.log_batch(run_id, rows[start : start + _VALUES_A_BATCH])
        return first

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
        """Delete a run; it may be gone already, or known to the store by another id.

        The other id comes about when a batch outlives its process: only that process knew the ids
        that the store had given to the runs of earlier batches.
        """
        try:
            self.client.delete_run(run_id)
        except MlflowException as error:
            if error.error_code not in _GONE:
                raise
            for run in self._recorded_as(run_id):
                self.client.delete_run(run.info.run_id)

    def _send(self, run: NewRun, data: list[DatasetInput], file: str) -> str:
        """Write one run, which is RUNNING until all of it is there; return the id it was given.

        Args:
            run: a finished run.
            data: the data sets that it used.
            file: path of the study's artifact that has its whole curves.
        """
        tags = run.tags | {Tag.RECORD: run.run_id, Tag.CURVES: file}
        made = self.client.create_run(
            self.experiment, start_time=run.start, tags=tags, run_name=run.name
        )
        run_id = str(made.info.run_id)
        at = run.time_of()
        metrics = [Metric(name, value, at(name, step), step) for name, step, value in run.metrics]
        params = [Param(name, value) for name, value in run.params.items()]
        first = _VALUES_A_BATCH - len(params)  # the limit counts parameters and metrics together
        self.client.log_batch(run_id, metrics[:first], params)
        for start in range(first, len(metrics), _VALUES_A_BATCH):
            self.client.log_batch(run_id, metrics[start : start + _VALUES_A_BATCH])
        with temporary_folder("files") as folder:
            for name, content in run.files.items():
                if name != RunFile.CURVES:  # they are in the batch's file
                    (Path(folder) / name).write_bytes(file_content(content))
                    self.client.log_artifact(run_id, str(Path(folder) / name))
        if data:
            self.client.log_inputs(run_id, data)
        self.client.set_terminated(run_id, run.status, run.end)  # from here on it counts
        return run_id


def _without_profile(data: Dataset) -> DatasetInput:
    """Return a data set by what names it: a long schema or profile need not be sent with every
    run."""
    return DatasetInput(Dataset(data.name, data.digest, data.source_type, data.source), [])


def stored_run(run: MlflowRun) -> StoredRun:
    """Return a run that MLflow's client gave."""
    return StoredRun(
        run.info.run_id,
        run.info.status,
        run.info.start_time,
        dict(run.data.tags),
        dict(run.data.params),
        dict(run.data.metrics),
    )
